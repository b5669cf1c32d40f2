import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import vectors

from leadline_client import DepthMap
from leadline_client.protocol import KIND_DEPTH, Header, decode_message

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))


def load(name: str):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES[0].parent / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_python_and_says_how_it_is_run(path):
    compiled = compile(path.read_text(encoding="utf-8"), path.name, "exec")
    assert f"python {path.name}" in compiled.co_consts[0]


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_a_file_becomes_an_npz(server, tmp_path):
    clip, out = tmp_path / "clip.mp4", tmp_path / "depth.npz"
    source = ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=12:duration=1"]
    subprocess.run(["ffmpeg", "-v", "error", *source, clip], check=True)
    example = EXAMPLES[0].parent / "file_to_npz.py"
    subprocess.run(
        [sys.executable, example, clip, out, f"ws://{server}"],
        check=True,
        env={"PYTHONPATH": str(EXAMPLES[0].parents[1]), "PATH": os.environ["PATH"]},
    )
    found = np.load(out)
    assert found["depth"].dtype == np.uint16 and found["depth"].shape[0] == 12
    assert found["scale"].shape == found["offset"].shape == found["epoch"].shape == (12,)
    assert found["times"] == pytest.approx(np.arange(12) / 12, abs=1e-6)
    assert str(found["quantity"]) == "relative-inverse-depth"


def test_points_lie_where_the_camera_saw_them():
    unproject = load("point_cloud").unproject
    # A wall 2 m away seen at 90 degrees: half as wide as far, x right, y down.
    points = unproject(np.full((2, 4), 2.0, np.float32), "metric-depth", 90)
    assert points.tolist()[0] == [-1.5, -0.5, 2]
    assert points.tolist()[-1] == [1.5, 0.5, 2]
    inverse = unproject(np.array([[0.5, 0, 1]], np.float32), "relative-inverse-depth", 90)
    assert inverse[:, 2].tolist() == [2, 1]


def test_an_image_of_ros_has_metres_and_nan_and_never_millimetres():
    image_fields = load("ros2_node").image_fields
    header = Header(KIND_DEPTH, 0, 0, "raw", 2, 1, dtype="f32", quantity="metric-depth")
    fields = image_fields(DepthMap(header, memoryview(np.array([1.5, 0], "<f4").tobytes()), 0))
    assert (fields["encoding"], fields["step"], fields["width"], fields["height"]) == ("32FC1", 8, 2, 1)
    values = np.frombuffer(fields["data"], "<f4")
    assert values[0] == 1.5 and np.isnan(values[1])


def test_relative_depth_is_published_as_it_is_under_another_name():
    node = load("ros2_node")
    header, payload = decode_message(vectors.message("depth-f32"))
    depth = DepthMap(header, payload, 0)
    assert np.array_equal(np.frombuffer(node.image_fields(depth)["data"], "<f4"), depth.values.ravel())
    assert "depth/" not in node.TOPICS[depth.quantity]
