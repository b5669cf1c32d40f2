import json

import numpy as np
import pytest
import torch

from leadline_models import learning_curve
from leadline_models.architecture import TINY
from leadline_models.evaluate import evaluate_holdout
from leadline_models.network import VideoDepthNetwork


@pytest.fixture
def data() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "stills_rgb": rng.integers(0, 255, (3, 1, 42, 56, 3), dtype=np.uint8),
        "stills_inv": rng.uniform(0.1, 1, (3, 1, 42, 56)).astype(np.float32),
        "clips_rgb": rng.integers(0, 255, (2, 5, 42, 56, 3), dtype=np.uint8),
        "clips_inv": rng.uniform(0.1, 1, (2, 5, 42, 56)).astype(np.float32),
    }


def save_weights(folder, images: int, network: VideoDepthNetwork):
    runs = [{"images": 100, "cpuMinutes": 1.5}, {"images": images, "cpuMinutes": 2.0}]
    path = folder / f"weights-{images:06d}.pt"
    torch.save({"ema": network.state_dict(), "record": json.dumps({"start": "random weights", "runs": runs})}, path)
    return path


def test_the_hold_out_report_has_both_windows_the_gap_and_three_flickers(tiny_network, data):
    report = evaluate_holdout(tiny_network, data, lower_bound=28)
    assert set(report) == {"size", "stills", "edges", "single", "ovda-c8", "ovda-c16", "constant"}
    for mode in ("single", "ovda-c8", "ovda-c16"):
        video = report[mode]
        assert video["gap"]["absRel"] == pytest.approx(video["first"]["absRel"] - video["global"]["absRel"], abs=1e-3)
        assert video["flicker"] > 0
    assert report["constant"]["flicker"] > 0


def test_a_curve_has_a_row_per_checkpoint_and_measures_none_twice(tmp_path, data, tiny_network, monkeypatch):
    monkeypatch.setattr(learning_curve, "holdout", lambda folder: data)
    weights = [save_weights(tmp_path, images, tiny_network) for images in (400, 900)]
    rows, plot = tmp_path / "curve.jsonl", tmp_path / "curve.svg"
    arguments = ["--arch", "tiny", "--lower-bound", "28", "--rows", str(rows), "--plot", str(plot)]
    arguments += ["--holdout", str(tmp_path), "--weights"]
    learning_curve.main([*arguments, str(weights[0])])
    learning_curve.main([*arguments, *map(str, weights)])
    first, second = (json.loads(line) for line in rows.read_text().splitlines())
    assert (first["images"], second["images"], second["cpuMinutes"]) == (500, 1000, 3.5)
    assert {"stills", "clips", "flicker", "gap"} <= set(first)
    assert plot.read_text().count("<circle") == 8  # two rows: AbsRel and delta1, of stills and of clips


def test_weights_without_a_record_are_no_point_of_a_curve(tmp_path):
    torch.save(VideoDepthNetwork(TINY).state_dict(), tmp_path / "official.pth")
    with pytest.raises(ValueError, match="no training record"):
        learning_curve.effort(tmp_path / "official.pth")


def test_a_copy_of_an_older_checkpoint_counts_its_own_images(tmp_path):
    runs = [{"images": 100, "cpuMinutes": 1.5}, {"images": 900, "cpuMinutes": 9.0}]
    (tmp_path / "record.json").write_text(json.dumps({"method": "random initialisation", "runs": runs}))
    torch.save({"ema": {}, "progress": {"step": 5, "images": 400, "cpu_s": 120.0}}, tmp_path / "copy.pt")
    assert learning_curve.effort(tmp_path / "copy.pt") == {"images": 500, "cpuMinutes": 3.5}
