"""Training in the background: phases by images seen, a bounded ring of scenes, kills survived, only a better export."""

import argparse
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from leadline_models.background import trainer
from leadline_models.background.__main__ import main
from leadline_models.background.export_best import export_best
from leadline_models.background.home import AlreadyRunning, Home
from leadline_models.background.plan import CONFIGS, Phase, images_per_step, next_phase, phase_config, read_plan
from leadline_models.background.ring import RingPart, drop_oldest, fill_ring, sweep
from leadline_models.background.status import describe
from leadline_models.background.trainer import Interrupted, Recipe, read_best, train_phases
from leadline_models.config import DEFAULTS
from leadline_models.dataset import Pool
from leadline_models.generator.scene import NUM_TEXTURES
from leadline_models.generator.textures import TEXELS
from leadline_models.golden import main as write_goldens
from leadline_models.run import read_record

PLAN = [Phase("first.json", 12), Phase("second.json", 40)]
BATCHES = {
    "first.json": [{"share": 1, "kind": "stills", "size": [32, 64], "batch": 2, "frames": [1]}],
    "second.json": [{"share": 1, "kind": "clips", "size": [32, 64], "batch": 1, "frames": [4]}],
}


@pytest.fixture
def home(tmp_path, monkeypatch) -> Home:
    """With a pool, configs and a hold-out small enough for a test; every step is measured."""
    home = Home(tmp_path / "home")
    home.pool.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for kind, frames in (("stills", 1), ("clips", 4)):
        stem = home.pool / f"{kind}_32x64_000001"
        np.save(f"{stem}_rgb.npy", rng.integers(0, 255, (4, frames, 32, 64, 3), dtype=np.uint8))
        np.save(f"{stem}_inv.npy", rng.uniform(0.1, 1, (4, frames, 32, 64)).astype(np.float16))
    data = {
        "stills_rgb": rng.integers(0, 255, (2, 1, 32, 64, 3), dtype=np.uint8),
        "stills_inv": rng.uniform(0.1, 1, (2, 1, 32, 64)).astype(np.float32),
        "clips_rgb": rng.integers(0, 255, (1, 3, 32, 64, 3), dtype=np.uint8),
        "clips_inv": rng.uniform(0.1, 1, (1, 3, 32, 64)).astype(np.float32),
    }
    monkeypatch.setattr(trainer, "holdout", lambda _folder: data)
    monkeypatch.setattr("leadline_models.background.export_best.holdout", lambda _folder: data)

    def small_phase(phase: Phase, images: int) -> dict:
        batches = BATCHES[phase.config]
        config = {**DEFAULTS, "arch": "tiny-conv", "batches": batches, "motion": phase.config == "second.json"}
        return {**config, "steps": round((phase.until_images - images) / images_per_step(config)), "seed": images}

    monkeypatch.setattr(trainer, "phase_config", small_phase)
    return home


def train_for(home: Home, steps: int, init=None) -> None:
    """As a background training that is asked to end after so many steps."""
    left = iter(range(steps - 1))  # it is asked after each step
    minimum = {"stills": 1, "clips": 1}
    with pytest.raises(Interrupted):
        train_phases(home, Recipe(PLAN, 32, init), lambda: next(left, None) is not None, minimum)


def test_phases_follow_from_the_images_seen_and_the_last_comes_back_for_twice_as_many():
    assert [next_phase(PLAN, images).config for images in (0, 11, 12, 39)] == [
        *["first.json"] * 2,
        *["second.json"] * 2,
    ]
    assert [next_phase(PLAN, images) for images in (40, 85)] == [Phase("second.json", 80), Phase("second.json", 160)]


def test_the_plan_of_the_repository_ends_its_phases_where_it_says():
    images = 0
    for phase in read_plan(CONFIGS / "plans" / "background.json"):
        config = phase_config(phase, images)
        images += config["steps"] * images_per_step(config)
        assert images == pytest.approx(phase.until_images, rel=1e-3)


def test_interrupted_training_adds_up_through_the_phases(home):
    for steps in (2, 3, 5):
        train_for(home, steps)
    assert sorted(path.name for path in home.runs.iterdir()) == ["01-first", "02-second"]
    record = read_record(home.runs / "02-second" / "checkpoint.pt")
    assert record["start"] == "random weights"
    assert [(run["config"], run["images"]) for run in record["runs"]] == [("first.json", 12), ("second.json", 16)]
    assert [row["images"] for row in home.read_rows()] == [12]  # at a phase's end, and else every half hour
    assert "step 4 of 7" in describe(home) and "best" in describe(home)


def test_every_measurement_is_a_row_and_the_best_weights_stay(home, monkeypatch):
    scores = iter([0.5, 0.3, 0.4])
    monkeypatch.setattr(trainer, "MEASURE_S", 0)
    monkeypatch.setattr(trainer, "score", lambda _row: next(scores))
    train_for(home, 4)
    assert [row["score"] for row in home.read_rows()] == [0.5, 0.3, 0.4]
    best = read_best(home)
    assert best["row"]["score"] == 0.3 and best["row"]["images"] == 4
    assert "<circle" in home.picture.read_text()


def test_weights_that_flicker_are_no_better_for_fitting_a_little_closer():
    """Figures of two measurements of one training, before and after its motion modules learned."""
    frames_alone = {"stills": {"absRel": 0.2202}, "clips": {"absRel": 0.2278}, "flicker": 0.1434}
    streamed = {"stills": {"absRel": 0.2129}, "clips": {"absRel": 0.2471}, "flicker": 0.1056}
    assert trainer.score(streamed) < trainer.score(frames_alone)


def test_a_training_that_is_killed_before_half_an_hour_measures_all_the_same(home):
    train_for(home, 1)
    long_ago = time.time() - trainer.MEASURE_S - 1
    os.utime(home.runs / "01-first" / "config.json", (long_ago, long_ago))
    train_for(home, 2)
    assert [row["images"] for row in home.read_rows()] == [4]


def test_a_kill_while_saving_leaves_the_last_whole_state(home):
    train_for(home, 2)
    folder = home.runs / "01-first"
    (folder / "checkpoint.partial").write_bytes(b"half")
    (home.folder / "curve.jsonl").write_text('{"time": "2026-')
    train_for(home, 2)
    assert read_record(folder / "checkpoint.pt")["runs"][-1]["images"] == 8
    assert home.read_rows() == []


def options_of(out) -> argparse.Namespace:
    options = {"name": "leadline-test", "title": "Test", "lower_bound": 32, "rgbd": None, "cpu_precision": "int8"}
    return argparse.Namespace(out=out, **options)


def test_only_a_better_network_replaces_a_bundle_and_the_bundle_is_a_start(home, tmp_path):
    train_for(home, 7)
    out = tmp_path / "bundle"
    assert "no bundle" in export_best(home, options_of(out))
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["resolution"]["multiple"] == 32 and manifest["architecture"]["encoder"] == "conv"
    assert manifest["training"]["runs"][-1]["images"] == 12
    weights = (out / "model.safetensors").read_bytes()
    assert "keeps its weights" in export_best(home, options_of(out))

    again = Home(tmp_path / "again")
    again.folder.mkdir()
    (again.folder / "pool").symlink_to(home.pool)
    train_for(again, 1, init=out / "model.safetensors")
    record = read_record(again.runs / "01-second" / "checkpoint.pt")
    assert [run["images"] for run in record["runs"]] == [12, 4]  # it goes on where the bundle's record ends
    assert (out / "model.safetensors").read_bytes() == weights


REPOSITORY = Path(__file__).parents[2]


def leadline(*arguments: str, models: Path) -> list[str]:
    """The lines that the service's command prints; it must succeed."""
    command = ["npm", "run", "--silent", "leadline", "--", *arguments]
    environment = {**os.environ, "LEADLINE_MODELS_DIR": str(models)}
    ended = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout.splitlines()


@pytest.mark.skipif(not (REPOSITORY / "node_modules").exists(), reason="the service is not installed: npm ci")
def test_the_service_opens_what_is_exported_and_gives_its_depth_in_every_mode(home, tmp_path):
    train_for(home, 7)
    models, goldens, sequence = tmp_path / "models", tmp_path / "goldens", tmp_path / "sequence"
    bundle = models / "leadline-test"
    main(["export", "--home", str(home.folder), "--out", str(bundle), "--name", bundle.name, "--lower-bound", "32"])

    modes = [f"--mode={mode}" for mode in ("single", "ovda-c8-strict", "vda-stream31", "vda-window32")]
    write_goldens([f"--out={goldens}", f"--bundle={bundle}", "--size=64x96", *modes])
    verified = leadline("models", "verify", str(goldens), models=models)
    assert [line.split()[0] for line in verified] == ["equal"] * 4

    rng = np.random.default_rng(1)
    for folder, shape, kind in (("color", (64, 96, 3), np.uint8), ("depth", (64, 96), np.uint16)):
        (sequence / folder).mkdir(parents=True)
        for frame in range(3):
            Image.fromarray(rng.integers(1, 255, shape).astype(kind)).save(sequence / folder / f"{frame}.png")
    scored = leadline("eval", "--data", str(sequence), "--model", bundle.name, models=models)
    assert json.loads(scored[-1])["absRel"] > 0


def test_a_ring_keeps_the_newest_shards_and_forgets_what_a_kill_left(tmp_path, monkeypatch):
    monkeypatch.setattr("leadline_models.pool.CLIPS_PER_SHARD", {"stills": 2, "clips": 1})
    monkeypatch.setattr(
        "leadline_models.background.ring.build_atlas", lambda *_: torch.full((NUM_TEXTURES * TEXELS, 3), 0.5)
    )
    part = RingPart("stills", 1, (16, 24), share=1, limit=2)
    pool, seen = Pool(tmp_path), set()

    def is_wanted() -> bool:
        pool.refresh()
        seen.update(pool.shards["stills"])
        return len(seen) < 4

    monkeypatch.setattr("leadline_models.generator.clip.MIN_PIXEL_STD", 0)
    fill_ring(tmp_path, is_wanted, (part,), eager=True)
    assert pool.count("stills") == 4 and len(list(tmp_path.glob("*.npy"))) == 4
    (tmp_path / "stills_16x24_000009_inv.npy").touch()
    (tmp_path / "stills_16x24_000009.partial.npy").touch()
    sweep(tmp_path)
    drop_oldest(tmp_path, part)
    assert len(list(tmp_path.glob("*.npy"))) == 4


def test_one_folder_trains_once(tmp_path, capsys):
    home = Home(tmp_path)
    assert home.owner() is None
    with home.owned():
        assert home.owner() == os.getpid()
        with pytest.raises(AlreadyRunning, match=str(os.getpid())), home.owned():
            pass
        with pytest.raises(SystemExit):
            main(["start", "--home", str(tmp_path)])
    assert "trains here already" in capsys.readouterr().err
    assert home.owner() is None


def runs(pid: str) -> bool:
    """Not so one that has ended and that nobody has asked for."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", pid], capture_output=True, text=True).stdout.strip()
    return state != "" and not state.startswith("Z")


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_started_training_is_the_last_to_be_served_and_ends_with_its_children(tmp_path, is_killed):
    home = tmp_path / "home"
    main(["start", "--home", str(home), "--cores", "1"])
    while not (owner := Home(home).owner()):
        time.sleep(0.1)
    assert os.getpriority(os.PRIO_PROCESS, owner) == 19
    autogroup = Path(f"/proc/{owner}/autogroup")
    assert not autogroup.exists() or autogroup.read_text().split()[-1] == "19"
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(owner)], capture_output=True, text=True)
    if is_killed:
        os.kill(owner, signal.SIGKILL)
    else:
        main(["stop", "--home", str(home)])
    while any(runs(pid) for pid in children.stdout.split()) or Home(home).owner():
        time.sleep(0.1)  # a child that was starting ends as soon as it looks
