import json

import numpy as np
import pytest
import torch

from leadline_models import ablate
from leadline_models.holdout import FILE_NAME
from leadline_models.run import Run

TINY_CONFIG = {
    "arch": "tiny",
    "motion": True,
    "batches": [{"share": 1, "kind": "clips", "size": [28, 42], "batch": 1, "frames": [6]}],
}


@pytest.fixture
def folders(tmp_path):
    """A pool, a hold-out, a config and a start, as small as they come."""
    rng = np.random.default_rng(0)

    def video(count: int, frames: int) -> tuple[np.ndarray, np.ndarray]:
        shape = (count, frames, 42, 56)
        return rng.integers(0, 255, (*shape, 3), dtype=np.uint8), rng.uniform(0.1, 1, shape).astype(np.float16)

    for kind, frames in (("stills", 1), ("clips", 6)):
        rgb, inverse = video(4, frames)
        np.save(tmp_path / f"{kind}_42x56_000001_rgb.npy", rgb)
        np.save(tmp_path / f"{kind}_42x56_000001_inv.npy", inverse)
    (stills_rgb, stills_inv), (clips_rgb, clips_inv) = video(2, 1), video(1, 6)
    np.savez(
        tmp_path / FILE_NAME, stills_rgb=stills_rgb, stills_inv=stills_inv, clips_rgb=clips_rgb, clips_inv=clips_inv
    )
    (tmp_path / "tiny.json").write_text(json.dumps(TINY_CONFIG))
    run = Run(ablate.load_config(tmp_path / "tiny.json"), None, "cpu")
    torch.save({"ema": run.ema.weights, "record": json.dumps({"start": "a test", "runs": []})}, tmp_path / "start.pt")
    return tmp_path


def ablation(folder, *more: str) -> list[dict]:
    paths = {"pool": folder, "init": folder / "start.pt", "holdout": folder, "out": folder / "out"}
    arguments = [part for name, path in paths.items() for part in (f"--{name}", str(path))]
    ablate.main([*arguments, "--config", str(folder / "tiny.json"), "--lower-bound", "28", *more])
    return [json.loads(line) for line in (folder / "out" / "rows.jsonl").read_text().splitlines()]


def test_an_ablation_measures_every_row_and_repeats_none(folders, monkeypatch):
    first = ablation(folders, "--steps", "20", "--rows", "start", "SaSCon none")
    assert [row["row"] for row in first] == ["start", "SaSCon none"]

    trained = []
    monkeypatch.setattr(ablate, "train", lambda run, *rest: trained.append(run.config))
    rows = ablation(folders, "--steps", "20")
    assert [row["row"] for row in rows] == [
        "start",
        "SaSCon none",
        *(n for n in ablate.ROWS if n not in ("start", "SaSCon none")),
    ]
    assert len(trained) == len(ablate.ROWS) - 2
    base = trained[0]
    assert [{k for k in base if config[k] != base[k]} for config in trained[1:]] == [
        {"causalMask"}, {"sascon"}, {"windows"}, {"windows"}, {"windows"},
    ]  # fmt: skip

    text = (folders / "out" / "table.md").read_text()
    assert text.count("| mask off |") == 4  # per frame, c4, c8, c16
    assert {"first", "global", "gap", "flicker"} <= set(rows[0]["ovda-c4"])


def test_rows_of_another_length_are_not_mixed_in(folders):
    ablation(folders, "--steps", "2", "--rows", "start")
    with pytest.raises(ValueError, match="another --out"):
        ablation(folders, "--steps", "3", "--rows", "start")
