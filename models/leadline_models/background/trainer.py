"""Trains phase after phase, measures on the hold-out every half hour, and keeps the best."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from ..chart import Line, write_chart
from ..dataset import Pool
from ..holdout import holdout
from ..learning_curve import measure
from ..processor import has_fast_bf16
from ..run import Run, read_record
from ..train import Habits, train
from .home import Home
from .plan import Phase, next_phase, phase_config

SAVE_S, MEASURE_S, POLL_S = 600, 1800, 10
MIN_SHARDS = {"stills": 4, "clips": 4}


class Interrupted(Exception):
    """Nobody wants the training any more; its state is saved."""


@dataclass(frozen=True)
class Recipe:
    plan: list[Phase]
    lower_bound: int  # network's shorter side on the hold-out
    init: Path | None = None  # weights to start from where nothing has been trained yet


def train_phases(home: Home, recipe: Recipe, is_wanted: Callable[[], bool], pool_minimum: dict = MIN_SHARDS) -> None:
    """Until `is_wanted` says no, which is asked after each step."""
    pool = Pool(home.pool)
    while True:
        folder = current_folder(home, recipe)
        settings = json.loads((folder / "config.json").read_text())
        wait_for_shards(pool, settings["config"], is_wanted, pool_minimum)
        init = Path(settings["init"]) if settings["init"] else None
        run = Run(settings["config"], init, "cpu")
        if (folder / "checkpoint.pt").exists():
            run.restore(folder / "checkpoint.pt")
        watch = Watch(home, recipe, run, pool, folder, settings["name"], is_wanted)
        train(
            run, pool, folder, settings["name"], Habits(has_fast_bf16("cpu"), saves=False, after_step=watch.after_step)
        )
        watch.measure()
        (folder / "done").touch()


def current_folder(home: Home, recipe: Recipe) -> Path:
    """The run to go on with; a new phase's where the last is done."""
    folders = sorted(home.runs.glob("*"))
    if folders and (folders[-1] / "config.json").exists() and not (folders[-1] / "done").exists():
        return folders[-1]
    finished = [folder for folder in folders if (folder / "done").exists()]
    init = finished[-1] / "checkpoint.pt" if finished else recipe.init
    record = read_record(init) if init else None
    images = sum(run["images"] for run in record["runs"]) if record else 0
    phase = next_phase(recipe.plan, images)
    folder = home.runs / f"{len(finished) + 1:02d}-{Path(phase.config).stem}"
    folder.mkdir(parents=True, exist_ok=True)
    settings = {"name": phase.config, "init": str(init) if init else None, "config": phase_config(phase, images)}
    partial = folder / "config.partial"
    partial.write_text(json.dumps(settings, indent=2))
    partial.replace(folder / "config.json")
    return folder


def wait_for_shards(pool: Pool, config: dict, is_wanted: Callable[[], bool], minimum: dict) -> None:
    kinds = {batch["kind"] for batch in config["batches"]}
    while any(len(pool.shards[kind]) < minimum[kind] for kind in kinds):
        if not is_wanted():
            raise Interrupted
        time.sleep(POLL_S)
        pool.refresh()


class Watch:
    """Saves and measures by the clock: steps are slow on a busy machine, and what a kill costs is told in minutes."""

    def __init__(self, home: Home, recipe: Recipe, run: Run, pool: Pool, folder: Path, name: str, is_wanted):
        self.home, self.recipe, self.run, self.pool = home, recipe, run, pool
        self.folder, self.name, self.is_wanted = folder, name, is_wanted
        self.saved = time.time()
        # a training that is killed more often than it measures measures all the same
        begun = [path.stat().st_mtime for path in (folder / "config.json", home.rows) if path.exists()]
        self.measured = max(begun)

    def after_step(self) -> None:
        now = time.time()
        wanted = self.is_wanted()
        if not wanted or now - self.saved > SAVE_S:
            self.run.save(self.folder, self.run.record(self.name, self.pool))
            self.saved = now
        if not wanted:
            raise Interrupted
        if now - self.measured > MEASURE_S:
            self.measure()
            self.measured = self.saved = time.time()

    def measure(self) -> None:
        """A row of the curve; the weights are kept if none before were better."""
        self.run.save(self.folder, self.run.record(self.name, self.pool))
        kept = self.run.keep(self.folder, self.run.record(self.name, self.pool))
        row = measure(kept, self.run.config["arch"], holdout(self.home.holdout), None, self.recipe.lower_bound)
        row = {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "score": score(row), **row}
        best = read_best(self.home)
        if best is None or row["score"] < best["row"]["score"]:
            # weights and figures in one file, so that no kill comes between them
            torch.save({**torch.load(kept, weights_only=True), "arch": self.run.config["arch"], "row": row}, kept)
            kept.replace(self.home.best)
        else:
            kept.unlink()
        self.home.add_row(row)
        draw(self.home)


def read_best(home: Home) -> dict | None:
    return torch.load(home.best, weights_only=True) if home.best.exists() else None


def score(row: dict) -> float:
    """What "better" means: mean AbsRel of stills and of streamed clips, and half of the flicker; lower is better.

    Without flicker, weights whose motion modules have learned nothing win: frames alone fit a little better.
    """
    return round((row["stills"]["absRel"] + row["clips"]["absRel"] + row["flicker"]) / 2, 4)


def draw(home: Home) -> None:
    rows = home.read_rows()
    lines = [
        Line(f"{part} {figure}", [(row["images"], row[part][figure]) for row in rows])
        for figure in ("absRel", "delta1")
        for part in ("stills", "clips")
    ]
    write_chart(home.picture, "hold-out", "images seen", lines, marks=True)
