"""The settings of one training run: a JSON file over these defaults, checked before anything is computed."""

import json
from pathlib import Path

from .architecture import PRESETS
from .losses import SASCON_FORMS, SPATIAL_LOSSES
from .temporal_attention import MAX_WINDOW

DEFAULTS = {
    "arch": "conv",
    "seed": 0,
    "steps": 1000,
    "learningRate": 1e-3,
    "finalRateFactor": 1.0,  # learning rate at the last step over that at the first
    "encoderRateFactor": 1.0,
    "freezeEncoder": False,  # train the head alone: for starts from pretrained weights
    "encoderOnClips": False,  # false: clips leave the encoder alone, which halves a step's cost; stills teach it better
    "warmUpSteps": 60,
    "spatialLoss": "direct",  # "direct" from random weights; "ssi" where the start has a scale of its own
    "gradientWeight": 0.5,
    "edgeWeight": 0.0,  # of gradients at true edges, between neighbouring pixels
    "tgmWeight": 4.0,
    "sascon": "transfer",  # "none", "transfer" (form A), "parameter" (B) or "anchored" (C), see losses.py
    "sasconWeight": 0.5,
    "emaDecay": 0.998,
    "gradientClip": 2.0,
    "motion": False,  # false: motion modules are left out (stills); true: they run, also on stills
    "causalMask": True,  # false: every frame of a clip sees every other, as no stream can (for the ablation)
    # what a step may draw: share, kind, frame size, clips per batch, frames per clip (a list: one is drawn)
    "batches": [{"share": 1, "kind": "stills", "size": [84, 112], "batch": 16, "frames": [1]}],
    "windows": [4, 16],  # cache sizes L are drawn from this range, ends included
}
BATCH_SETTINGS = {"share", "kind", "size", "batch", "frames"}


def load_config(path: Path, steps: int | None = None) -> dict:
    """`steps` overrides the file's. Raises ValueError with the setting at fault."""
    config = {**DEFAULTS, **json.loads(path.read_text())}
    try:
        check(config)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return {**config, "steps": steps} if steps else config


def check(config: dict) -> None:
    unknown = set(config) - set(DEFAULTS)
    if unknown:
        raise ValueError(f"unknown settings {sorted(unknown)}; known are {sorted(DEFAULTS)}")
    for name, choices in (("arch", PRESETS), ("spatialLoss", SPATIAL_LOSSES), ("sascon", SASCON_FORMS)):
        if config[name] not in choices:
            raise ValueError(f"{name} is {config[name]!r}, must be one of {', '.join(choices)}")
    low, high = config["windows"]
    if not 2 <= low <= high <= MAX_WINDOW:
        raise ValueError(f"windows is [{low}, {high}], must be an ascending range within 2..{MAX_WINDOW}")
    for batch in config["batches"]:
        if set(batch) != BATCH_SETTINGS:
            raise ValueError(f"a batch has the settings {sorted(BATCH_SETTINGS)}, got {sorted(batch)}")
        if not config["causalMask"] and max(batch["frames"]) > MAX_WINDOW:
            raise ValueError(f"without the causal mask a clip has at most {MAX_WINDOW} frames, got {batch['frames']}")
