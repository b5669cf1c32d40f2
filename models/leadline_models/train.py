"""The training loop, one run per config file, resumable.

    python -m leadline_models.train --config models/configs/nano-1-stills-84x112.json --pool POOL --out RUNS/1
    python -m leadline_models.train --config models/configs/nano-2-stills-126x168.json --pool POOL --out RUNS/2 \
        --init RUNS/1/checkpoint.pt

A run continues from its own `checkpoint.pt` where there is one. Schedules count steps, never seconds, so
that a paused or slower machine trains the same network.
"""

import argparse
import csv
import json
import time
from pathlib import Path

import numpy as np
import torch

from .architecture import PRESETS
from .dataset import Pool, draw
from .generator import GENERATOR_VERSION
from .losses import clip_target, direct_loss, scale_shift_consistency, temporal_gradient_matching
from .network import VideoDepthNetwork
from .optimizer import Ema, build_optimizers, rate_factor, set_rate
from .preview import write_preview
from .weights import initialize, load_state, read_weights

DEFAULTS = {
    "arch": "nano",
    "seed": 0,
    "steps": 1000,
    "learningRate": 1e-3,
    "finalRateFactor": 1.0,  # learning rate at the last step over that at the first
    "encoderRateFactor": 1.0,
    "warmUpSteps": 60,
    "gradientWeight": 0.5,
    "tgmWeight": 4.0,
    "sasconWeight": 0.5,
    "emaDecay": 0.998,
    "gradientClip": 2.0,
    "motion": False,  # false: motion modules are left out (stills); true: they run, also on stills
    # what a step may draw: share, kind, frame size, clips per batch, frames per clip (a list: one is drawn)
    "batches": [{"share": 1, "kind": "stills", "size": [84, 112], "batch": 16, "frames": [1]}],
    "windows": [4, 16],  # cache sizes L are drawn from this range, ends included
}
LOG_EVERY, SAVE_EVERY, PREVIEW_EVERY = 25, 50, 200
LOG_FIELDS = ["step", "images", "cpu_s", "rate", "loss", "error", "tgm", "sascon", "gradient_norm"]


def load_config(path: Path, steps: int | None) -> dict:
    content = json.loads(path.read_text())
    unknown = set(content) - set(DEFAULTS)
    if unknown:
        raise ValueError(f"{path}: unknown settings {sorted(unknown)}")
    config = {**DEFAULTS, **content}
    return {**config, "steps": steps} if steps else config


def losses_of_batch(network, config: dict, pool: Pool, rng: np.random.Generator, device: str, bf16: bool):
    """Draws one batch -> ({loss and its parts}, number of images)."""
    shares = np.array([b["share"] for b in config["batches"]], float)
    plan = config["batches"][rng.choice(len(shares), p=shares / shares.sum())]
    num_frames = int(rng.choice(plan["frames"]))
    images, truth = draw(pool, plan["kind"], plan["batch"], num_frames, tuple(plan["size"]), rng)
    images, truth = images.to(device), truth.to(device)
    with torch.autocast(device, torch.bfloat16, enabled=bf16):
        if config["motion"]:
            low, high = config["windows"]
            cache_size = int(rng.integers(low, high + 1))
            # on clips the encoder's gradient is dropped: it costs half a step, and stills teach the encoder better
            prediction = network.raw_clip(images, cache_size, freeze_encoder=num_frames > 1)
        else:
            still = images.flatten(0, 1).contiguous(memory_format=torch.channels_last)
            prediction = network.raw_still(still).unflatten(0, images.shape[:2])
    prediction = prediction.float()
    loss, error = direct_loss(prediction, clip_target(truth), config["gradientWeight"])
    result = {"error": error, "tgm": loss.new_zeros(()), "sascon": loss.new_zeros(())}
    if num_frames > 1:
        result["tgm"] = temporal_gradient_matching(prediction, truth)
        result["sascon"] = scale_shift_consistency(prediction, truth)
        loss = loss + config["tgmWeight"] * result["tgm"] + config["sasconWeight"] * result["sascon"]
    return {"loss": loss, **result}, images.shape[0] * num_frames


class Run:
    """Everything a checkpoint holds."""

    def __init__(self, config: dict, init: Path | None, device: str):
        self.config = config
        self.network = VideoDepthNetwork(PRESETS[config["arch"]])
        initialize(self.network, torch.Generator().manual_seed(config["seed"]))
        self.history: list[dict] = []  # the records of the runs this one started from
        if init:
            load_state(self.network, read_weights(init))
            self.history = json.loads((init.parent / "record.json").read_text())["runs"]
        self.network = self.network.to(device, memory_format=torch.channels_last)
        self.ema = Ema(self.network, config["emaDecay"])
        self.optimizers = build_optimizers(self.network, config["learningRate"], config["encoderRateFactor"])
        self.step, self.images, self.cpu_s = 0, 0, 0.0

    def save(self, path: Path) -> None:
        state = {
            "ema": self.ema.weights,
            "network": self.network.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "progress": {"step": self.step, "images": self.images, "cpu_s": self.cpu_s},
        }
        partial = path.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(path)  # a run killed while saving keeps its last whole checkpoint

    def restore(self, path: Path) -> None:
        state = torch.load(path, map_location="cpu", weights_only=True)
        self.network.load_state_dict(state["network"])
        self.ema.weights = {name: t.to(self.ema.weights[name].device) for name, t in state["ema"].items()}
        for optimizer, saved in zip(self.optimizers, state["optimizers"]):
            optimizer.load_state_dict(saved)
        self.step, self.images, self.cpu_s = (state["progress"][key] for key in ("step", "images", "cpu_s"))

    def record(self, config_name: str, pool: Pool) -> dict:
        this = {
            "config": config_name,
            "steps": self.step,
            "images": self.images,
            "cpuMinutes": round(self.cpu_s / 60, 1),
            "seed": self.config["seed"],
            "poolStills": pool.count("stills"),
            "poolClips": pool.count("clips"),
        }
        return {
            "method": "random initialisation, procedural video only",
            "generator": GENERATOR_VERSION,
            "torch": torch.__version__.split("+")[0],
            "runs": [*self.history, this],
        }


def start_log(path: Path, step: int) -> None:
    """Keeps the rows up to the step that training continues from."""
    rows = list(csv.DictReader(path.open())) if path.exists() else []
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, LOG_FIELDS)
        writer.writeheader()
        writer.writerows(row for row in rows if int(row["step"]) <= step)


def train(run: Run, pool: Pool, out: Path, config_name: str, device: str, bf16: bool) -> None:
    config, network = run.config, run.network
    log_path = out / "log.csv"
    start_log(log_path, run.step)
    sums = dict.fromkeys(["loss", "error", "tgm", "sascon"], 0.0)
    network.train()
    cpu_before = time.process_time()
    while run.step < config["steps"]:
        # a step's draw depends on its number alone, so a resumed run sees what an unbroken one would
        rng = np.random.default_rng([config["seed"], run.step])
        factor = rate_factor(run.step, config["steps"], config["warmUpSteps"], config["finalRateFactor"])
        set_rate(run.optimizers, factor)
        losses, images = losses_of_batch(network, config, pool, rng, device, bf16)
        losses["loss"].backward()
        gradient_norm = torch.nn.utils.clip_grad_norm_(network.parameters(), config["gradientClip"])
        if torch.isfinite(gradient_norm):
            for optimizer in run.optimizers:
                optimizer.step()
        for optimizer in run.optimizers:
            optimizer.zero_grad(set_to_none=True)
        run.ema.update(network, run.step)
        run.step, run.images = run.step + 1, run.images + images
        for name in sums:
            sums[name] += losses[name].item()
        if run.step % LOG_EVERY == 0:
            cpu_now = time.process_time()
            run.cpu_s, cpu_before = run.cpu_s + cpu_now - cpu_before, cpu_now
            means = {name: f"{total / LOG_EVERY:.4f}" for name, total in sums.items()}
            row = {
                "step": run.step, "images": run.images, "cpu_s": f"{run.cpu_s:.0f}", "rate": f"{factor:.3f}",
                **means, "gradient_norm": f"{gradient_norm:.2f}",
            }  # fmt: skip
            with log_path.open("a", newline="") as file:
                csv.DictWriter(file, LOG_FIELDS).writerow(row)
            sums = dict.fromkeys(sums, 0.0)
        if run.step % SAVE_EVERY == 0 or run.step == config["steps"]:
            run.save(out / "checkpoint.pt")
            (out / "record.json").write_text(json.dumps(run.record(config_name, pool), indent=2) + "\n")
            pool.refresh()
        if run.step % PREVIEW_EVERY == 0:
            write_preview(run.ema.weights, config["arch"], pool, out / f"preview-{run.step:06d}.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--pool", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--init", type=Path, help="checkpoint of the run before, whose averaged weights start this one")
    parser.add_argument("--steps", type=int, help="overrides the config; the record keeps the steps taken")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--bf16", action="store_true", help="bf16 autocast: for GPUs, and for CPUs with AMX")
    options = parser.parse_args()

    if options.threads:
        torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    run = Run(load_config(options.config, options.steps), options.init, options.device)
    if (options.out / "checkpoint.pt").exists():
        run.restore(options.out / "checkpoint.pt")
    train(run, Pool(options.pool), options.out, options.config.name, options.device, options.bf16)


if __name__ == "__main__":
    main()
