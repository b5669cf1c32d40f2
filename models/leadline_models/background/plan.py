"""What to train at which point: phases that follow from the number of images seen, never from the clock."""

import json
from dataclasses import dataclass
from pathlib import Path

from ..config import load_config

CONFIGS = Path(__file__).parents[2] / "configs"


@dataclass(frozen=True)
class Phase:
    config: str  # a file of configs/
    until_images: int


def read_plan(path: Path) -> list[Phase]:
    """[{"config": "conv-1-stills.json", "untilImages": 80000}, ...]"""
    return [Phase(entry["config"], entry["untilImages"]) for entry in json.loads(path.read_text())]


def next_phase(plan: list[Phase], images: int) -> Phase:
    """The phase for weights that have seen so many images. After the last it returns, for twice the images."""
    for phase in plan:
        if images < phase.until_images:
            return phase
    until = plan[-1].until_images
    while images >= until:
        until *= 2
    return Phase(plan[-1].config, until)


def images_per_step(config: dict) -> float:
    """On average: steps draw from several kinds of batches."""
    total = sum(batch["share"] for batch in config["batches"])
    frames = [batch["share"] * batch["batch"] * sum(b := batch["frames"]) / len(b) for batch in config["batches"]]
    return sum(frames) / total


def phase_config(phase: Phase, images: int, folder: Path = CONFIGS) -> dict:
    """The phase's settings with the steps that take `images` to its end; every phase draws its own batches."""
    config = load_config(folder / phase.config)
    steps = max(1, round((phase.until_images - images) / images_per_step(config)))
    return {**config, "steps": steps, "seed": config["seed"] + images}
