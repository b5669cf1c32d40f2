"""Everything a training run holds, and its way to disk and back."""

import hashlib
import json
import os
from pathlib import Path

import torch
from torch import Tensor

from .architecture import PRESETS
from .dataset import Pool
from .generator import GENERATOR_VERSION
from .network import VideoDepthNetwork
from .normed_conv import calibrate, is_normed
from .optimizer import Ema, build_optimizers
from .weights import initialize, load_state, read_weights

PROGRESS = ("step", "images", "cpu_s")


class Run:
    """`init` is the checkpoint of an earlier run, a bundle or an official `.pth`; None starts from random weights."""

    def __init__(self, config: dict, init: Path | None, device: str):
        self.config = config
        arch = PRESETS[config["arch"]]
        self.network = VideoDepthNetwork(arch, normed=arch.conv is not None)
        initialize(self.network, torch.Generator().manual_seed(config["seed"]))
        self.start, self.earlier = "random weights", []
        self.is_calibrated = True
        if init:
            state = read_weights(init)
            load_state(self.network, state)
            self.is_calibrated = not self.network.normed or is_normed(state)
            self.start, self.earlier = read_history(init)
        self.network.pretrained.requires_grad_(not config["freezeEncoder"])
        self.network = self.network.to(device, memory_format=torch.channels_last)
        self.ema = Ema(self.network, config["emaDecay"])
        self.optimizers = build_optimizers(self.network, config["learningRate"], config["encoderRateFactor"])
        self.device = device
        self.step, self.images, self.cpu_s = 0, 0, 0.0

    def calibrate(self, images: Tensor) -> None:
        """Gives a start from a bundle, whose batch normalisation is folded, true statistics: of images (B, 3, H, W).

        What the motion modules add is part of what is normalised after them, so they run where training runs them.
        """
        motion, window = self.config["motion"], self.config["windows"][0]
        calibrate(
            self.network,
            lambda: self.network.raw_clip(images[:, None], window) if motion else self.network.raw_still(images),
        )
        self.ema = Ema(self.network, self.config["emaDecay"])
        self.is_calibrated = True

    def save(self, out: Path, record: dict) -> None:
        """`checkpoint.pt`, which training resumes from, and `record.json` beside it."""
        state = {
            "ema": self.ema.weights,
            "network": self.network.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "progress": {name: getattr(self, name) for name in PROGRESS},
            "record": json.dumps(record),
        }
        partial = out / "checkpoint.partial"
        with partial.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(out / "checkpoint.pt")  # a run killed while saving keeps its last whole checkpoint
        (out / "record.json").write_text(json.dumps(record, indent=2) + "\n")

    def keep(self, out: Path, record: dict) -> Path:
        """The averaged weights of this step under a name of their own: a point of the learning curve."""
        path = out / f"weights-{self.step:06d}.pt"
        torch.save({"ema": self.ema.weights, "record": json.dumps(record)}, path)
        return path

    def restore(self, path: Path) -> None:
        state = torch.load(path, map_location="cpu", weights_only=True)
        self.network.load_state_dict(state["network"])
        self.ema.weights = {name: t.to(self.ema.weights[name].device) for name, t in state["ema"].items()}
        for optimizer, saved in zip(self.optimizers, state["optimizers"]):
            optimizer.load_state_dict(saved)
        for name in PROGRESS:
            setattr(self, name, state["progress"][name])
        self.is_calibrated = True

    def record(self, config_name: str, pool: Pool) -> dict:
        """What goes into the manifest: where the weights started and every run since."""
        this = {
            "config": config_name,
            "steps": self.step,
            "images": self.images,
            "cpuMinutes": round(self.cpu_s / 60, 1),
            "device": self.device,
            "seed": self.config["seed"],
            "poolStills": pool.count("stills"),
            "poolClips": pool.count("clips"),
            "poolSources": pool.sources(),
        }
        return {
            "start": self.start,
            "generator": GENERATOR_VERSION,
            "torch": torch.__version__.split("+")[0],
            "runs": [*self.earlier, this],
        }


def read_record(weights: Path) -> dict | None:
    """The record inside a training checkpoint, in a bundle's manifest, or beside the weights; None for weights that no
    run here has written."""
    beside, manifest = weights.parent / "record.json", weights.parent / "manifest.json"
    record = json.loads(beside.read_text()) if beside.exists() else None
    if weights.suffix == ".safetensors" and manifest.exists():
        training = json.loads(manifest.read_text()).get("training", {})
        return training if "runs" in training else None
    if weights.suffix != ".pt":
        return record
    state = torch.load(weights, map_location="cpu", weights_only=True, mmap=True)
    if "record" in state:
        return json.loads(state["record"])
    if record and "progress" in state:  # a copy of an older checkpoint: the record beside it may be ahead of it
        progress = state["progress"]
        minutes = round(progress["cpu_s"] / 60, 1)
        record["runs"][-1].update(steps=progress["step"], images=progress["images"], cpuMinutes=minutes)
    return record


def read_history(weights: Path) -> tuple[str, list[dict]]:
    """-> where these weights once started, and the runs since then."""
    record = read_record(weights)
    if record is None:
        digest = hashlib.sha256(weights.read_bytes()).hexdigest()
        return f"{weights.name}, sha256 {digest}", []
    return record.get("start", record.get("method", "unknown")), record["runs"]
