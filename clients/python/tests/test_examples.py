import importlib.util
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import vectors

from leadline_client import DepthMap
from leadline_client.protocol import KIND_DEPTH, Header, decode_message

FOLDER = Path(__file__).parents[1] / "examples"
EXAMPLES = sorted(path for path in FOLDER.glob("*.py") if path.name != "ros2_layout.py")
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


def load(name: str):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, FOLDER / f"{name}.py", *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(FOLDER.parent)},
    )


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    """A second of 64x48 at 12 frames a second."""
    out = tmp_path_factory.mktemp("clip") / "clip.mp4"
    source = ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=12:duration=1"]
    subprocess.run(["ffmpeg", "-v", "error", *source, out], check=True)
    return out


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_short_python_and_says_how_it_is_run(path):
    text = path.read_text(encoding="utf-8")
    compiled = compile(text, path.name, "exec")
    assert f"python {path.name}" in compiled.co_consts[0]
    assert len(text.splitlines()) < 120


@needs_ffmpeg
def test_a_file_becomes_an_npz(server, clip, tmp_path):
    out = tmp_path / "depth.npz"
    ended = run("file_to_npz", clip, out, "--url", f"ws://{server}")
    assert ended.returncode == 0, ended.stderr
    found = np.load(out)
    assert found["depth"].dtype == np.uint16 and found["depth"].shape[0] == 12
    assert found["scale"].shape == found["offset"].shape == found["epoch"].shape == (12,)
    assert found["times"] == pytest.approx(np.arange(12) / 12, abs=1e-6)
    assert str(found["quantity"]) == "relative-inverse-depth"


@needs_ffmpeg
def test_a_clip_becomes_an_npz(server, clip, tmp_path):
    out = tmp_path / "depth.npz"
    ended = run("clip_to_npz", clip, out, "--url", f"ws://{server}")
    assert ended.returncode == 0, ended.stderr
    assert "Sent 100 %" in ended.stderr and "done" in ended.stderr
    found = np.load(out)
    assert ended.stdout == f"{out}: {found['depth'].shape} of relative-inverse-depth\n"
    assert found["depth"].shape[0] == 12 and found["times"] == pytest.approx(np.arange(12) / 12, abs=1e-6)


@needs_ffmpeg
def test_a_video_is_shown_beside_its_depth(server, clip, tmp_path):
    headless = ["--headless", 3, "--folder", tmp_path / "frames", "--url", f"ws://{server}"]
    ended = run("webcam_depth", "--source", clip, *headless)
    assert ended.returncode == 0, ended.stderr
    written = sorted((tmp_path / "frames").iterdir())
    assert [path.name for path in written] == ["000000.png", "000001.png", "000002.png"]
    # The left half is the frame with that number, and not another.
    capture = cv2.VideoCapture(str(clip))
    for path in written:
        shown = cv2.imread(str(path))
        assert shown.shape == (48, 128, 3)
        assert np.array_equal(shown[:, :64], capture.read()[1])
        assert shown[:, 64:].std() > 0


@needs_ffmpeg
def test_a_video_that_ends_early_is_said(server, clip, tmp_path):
    ended = run("webcam_depth", "--source", clip, "--headless", 99, "--folder", tmp_path, "--url", f"ws://{server}")
    assert ended.returncode == 1 and "12 pictures" in ended.stderr and "--headless asked for 99" in ended.stderr
    assert len(list(tmp_path.iterdir())) == 12


@needs_ffmpeg
def test_a_frame_becomes_a_point_cloud(server, clip, tmp_path):
    out = tmp_path / "points.ply"
    ended = run("point_cloud", clip, out, "--fov", 90, "--frame", 5, "--url", f"ws://{server}")
    assert ended.returncode == 0, ended.stderr
    header, _, body = out.read_bytes().partition(b"end_header\n")
    lines = header.decode("ascii").splitlines()
    assert lines[:2] == ["ply", "format binary_little_endian 1.0"]
    assert any("x to the right, y down, z forward" in line for line in lines)
    assert "element vertex 3072" in lines
    names = {"float": "<f4", "uchar": "u1"}
    properties = [line.split()[1:] for line in lines if line.startswith("property")]
    points = np.frombuffer(body, [(name, names[kind]) for kind, name in properties]).reshape(48, 64)
    assert (points["z"].min(), points["z"].max()) == (1, 4)
    # The larger, the nearer: relative-inverse-depth.
    assert points["z"].flat[points["depth"].argmax()] == 1
    # At 90 degrees what is half a picture aside is as far aside as away.
    assert points["x"] / points["z"] == pytest.approx(np.broadcast_to((np.arange(64) - 31.5) / 32, (48, 64)), abs=1e-5)
    assert points["y"] / points["z"] == pytest.approx(
        np.broadcast_to((np.arange(48)[:, None] - 23.5) / 32, (48, 64)), abs=1e-5
    )
    picture = load("point_cloud").picture_of(str(clip), 5)
    assert np.array_equal(np.stack([points[name] for name in ("red", "green", "blue")], -1), picture)


def test_metres_stay_metres():
    point_cloud = load("point_cloud")
    # A wall 2 m away seen at 90 degrees: half as wide as far, x right, y down.
    z = point_cloud.distance(np.full((2, 4), 2.0, np.float32), "metric-depth")
    points = point_cloud.unproject(z, 90)
    assert points[0, 0].tolist() == [-1.5, -0.5, 2]
    assert points[-1, -1].tolist() == [1.5, 0.5, 2]


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("webcam_depth", ["--source", "no.mp4"], "--source no.mp4: not a video"),
        ("webcam_depth", ["--source", "97"], "--source 97: no such camera"),
        ("file_to_npz", ["no.mp4", "out.npz"], "no.mp4 has no video that ffmpeg can read"),
        ("clip_to_npz", ["no.mp4", "out.npz"], "no.mp4 is not there"),
        ("clip_to_npz", ["CLIP", "out.npz", "--url", "ws://127.0.0.1:1"], "`leadline serve` starts one"),
        ("point_cloud", ["no.jpg", "out.ply"], "no.jpg is no picture or video"),
        ("point_cloud", ["no.jpg", "out.ply", "--fov", "180"], "--fov 180"),
        ("point_cloud", ["CLIP", "out.ply", "--frame", "12"], "--frame 12"),
        ("file_to_npz", ["CLIP", "out.npz", "--url", "ws://127.0.0.1:1"], "`leadline serve` starts one"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ",
)
@needs_ffmpeg
def test_what_an_example_cannot_do_is_said_with_a_remedy(name, arguments, said, clip):
    ended = run(name, *[clip if argument == "CLIP" else argument for argument in arguments])
    assert ended.returncode == 1
    assert said in ended.stderr and "Traceback" not in ended.stderr


@pytest.mark.skipif(importlib.util.find_spec("rclpy") is not None, reason="there is a ROS 2")
def test_the_ros_node_says_what_it_needs():
    ended = run("ros2_depth_node")
    assert ended.returncode == 1 and "rclpy is missing: source a ROS 2 first" in ended.stderr


def metres(*values: float) -> DepthMap:
    header = Header(KIND_DEPTH, 0, 0, "raw", len(values), 1, dtype="f32", quantity="metric-depth")
    return DepthMap(header, memoryview(np.array(values, "<f4").tobytes()), 0)


def relative() -> DepthMap:
    return DepthMap(*decode_message(vectors.message("depth-f32")), 0)


def test_an_image_of_ros_has_metres_and_nan():
    fields = load("ros2_layout").image_fields(metres(1.5, 0))
    assert (fields["encoding"], fields["step"], fields["width"], fields["height"]) == ("32FC1", 8, 2, 1)
    values = np.frombuffer(fields["data"], "<f4")
    assert values[0] == 1.5 and np.isnan(values[1])


def test_compressed_depth_is_read_as_ros_reads_it():
    truth = np.array([0.5, 1, 2.345, 9.99, 10, 12, 0, np.nan, np.inf, 0.01])
    fields = load("ros2_layout").compressed_depth_fields(metres(*truth))
    assert fields["format"] == "32FC1; compressedDepth png"
    # As compressed_depth_image_transport decodes: depth = A / (step - B), step 0 is NaN.
    data = bytes(fields["data"])
    kind, a, b = struct.unpack_from("<iff", data)
    steps = cv2.imdecode(np.frombuffer(data[12:], np.uint8), cv2.IMREAD_UNCHANGED)
    assert kind == 0 and steps.dtype == np.uint16 and steps.shape == (1, 10)
    found = np.where(steps[0] > 0, a / (steps[0].astype(np.float32) - b), np.nan)
    # Half a step is z * z / 2A.
    assert np.abs(found[:4] - truth[:4]).max() <= (truth[:4] ** 2 / (2 * a) * 1.01).max()
    assert np.isnan(found[4:9]).all()
    assert found[9] == pytest.approx(0.152, abs=0.003)  # the nearest that 16 bits hold


def test_relative_depth_is_published_under_another_name_and_never_as_metres():
    layout = load("ros2_layout")
    depth = relative()
    assert np.array_equal(np.frombuffer(layout.image_fields(depth)["data"], "<f4"), depth.values.ravel())
    assert "depth/" not in layout.TOPICS["relative"]
    with pytest.raises(ValueError, match="relative-inverse-depth has none"):
        layout.compressed_depth_fields(depth)


@pytest.mark.parametrize(
    ("publish", "quantity", "said"),
    [
        ("", "metric-depth", "publish:=metres"),
        ("millimetres", "metric-depth", "The parameter publish is 'millimetres'"),
        ("metres", "relative-inverse-depth", "none are made up"),
        ("relative", "metric-depth", "publish:=metres"),
        ("metres", "metric-depth", None),
        ("relative", "relative-inverse-depth", None),
    ],
)
def test_the_ros_node_publishes_what_was_asked_for_or_nothing(publish, quantity, said):
    reason = load("ros2_layout").refusal(publish, "some-model", quantity)
    assert reason is None if said is None else said in reason


def test_pictures_of_ros_are_known_by_their_format():
    codec_of = load("ros2_layout").codec_of
    said = ["bgr8; jpeg compressed bgr8", "jpeg", "png", "16UC1; compressedDepth png", "h264"]
    assert [codec_of(image_format) for image_format in said] == ["jpeg", "jpeg", "png", None, None]
