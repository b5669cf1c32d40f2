"""The training loop, one run per config file, resumable.

    python -m leadline_models.train --config configs/conv-1-stills.json --pool POOL --out RUNS/1
    python -m leadline_models.train --config configs/conv-2-stills-larger.json --pool POOL --out RUNS/2 \
        --init RUNS/1/checkpoint.pt

A run continues from its own `checkpoint.pt` where there is one. Schedules count steps, never seconds, so
that a paused or slower machine trains the same network.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .batches import Batch, BatchReader
from .config import load_config
from .dataset import Pool, draw
from .loss_log import LossLog
from .losses import SASCON_FORMS, SPATIAL_LOSSES, GradientWeights, temporal_gradient_matching
from .network import VideoDepthNetwork
from .normed_conv import use_batch_statistics
from .optimizer import rate_factor, set_rate
from .preview import write_preview
from .run import Run

LOG_EVERY = 25
SAVE_EVERY, PREVIEW_EVERY = {"cpu": 50, "cuda": 500}, {"cpu": 200, "cuda": 1000}  # the disk is as slow beside a GPU
READ_AHEAD = {"cpu": 0, "cuda": 4}  # batches


CALIBRATION_IMAGES = 32


def predict(network: VideoDepthNetwork, config: dict, batch: Batch) -> Tensor:
    """Raw output, before the closing ReLU: (B, T, H, W)."""
    # the frames of a few clips are too much alike to tell mean and variance
    use_batch_statistics(network, batch.num_frames == 1)
    if config["motion"]:
        freeze = batch.num_frames > 1 and not config["encoderOnClips"]
        return network.raw_clip(batch.images, batch.cache_size, freeze_encoder=freeze, causal=config["causalMask"])
    stills = batch.images.flatten(0, 1).contiguous(memory_format=torch.channels_last)
    return network.raw_still(stills).unflatten(0, batch.images.shape[:2])


def losses_of(prediction: Tensor, config: dict, batch: Batch) -> dict[str, Tensor]:
    """The loss, and its parts for the log."""
    weights = GradientWeights(config["gradientWeight"], config["edgeWeight"])
    loss, error = SPATIAL_LOSSES[config["spatialLoss"]](prediction, batch.truth, weights)
    parts = {"error": error, "tgm": loss.new_zeros(()), "sascon": loss.new_zeros(())}
    if batch.num_frames > 1:
        parts["tgm"] = temporal_gradient_matching(prediction, batch.truth)
        consistency = SASCON_FORMS[config["sascon"]]
        if consistency:
            parts["sascon"] = consistency(prediction, batch.truth)
        loss = loss + config["tgmWeight"] * parts["tgm"] + config["sasconWeight"] * parts["sascon"]
    return {"loss": loss, **parts}


def take_step(run: Run, batch: Batch, bf16: bool) -> tuple[dict[str, Tensor], float]:
    """-> losses and the gradient's norm. A gradient that is not finite changes nothing."""
    with torch.autocast(torch.device(run.device).type, torch.bfloat16, enabled=bf16):
        prediction = predict(run.network, run.config, batch)
    losses = losses_of(prediction.float(), run.config, batch)
    losses["loss"].backward()
    norm = float(torch.nn.utils.clip_grad_norm_(run.network.parameters(), run.config["gradientClip"]))
    for optimizer in run.optimizers:
        if norm < float("inf"):
            optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    run.ema.update(run.network, run.step)
    run.step, run.images = run.step + 1, run.images + batch.truth.shape[0] * batch.num_frames
    return {name: loss.detach() for name, loss in losses.items()}, norm


@dataclass(frozen=True)
class Habits:
    """What goes on beside the steps."""

    bf16: bool = False
    keep_every: int | None = None  # steps after which the averaged weights are kept for a learning curve
    saves: bool = True  # and draws, every so many steps; without, `after_step` is to, and the end still does
    after_step: Callable[[], None] = lambda: None


def train(run: Run, pool: Pool, out: Path, config_name: str, habits: Habits = Habits()) -> None:
    """Runs to the config's last step."""
    config, log = run.config, LossLog(out, run.step)
    if not run.is_calibrated:
        size_hw = tuple(config["batches"][0]["size"])
        images, _ = draw(
            pool, "stills", CALIBRATION_IMAGES, 1, size_hw, np.random.default_rng(config["seed"]), run.device
        )
        run.calibrate(images[:, 0])
    sums: dict[str, Tensor] = {}
    run.network.train()
    cpu_before = time.process_time()
    device = torch.device(run.device).type
    with BatchReader(config, pool, run.step, run.device, READ_AHEAD[device]) as reader:
        while run.step < config["steps"]:
            factor = rate_factor(run.step, config["steps"], config["warmUpSteps"], config["finalRateFactor"])
            set_rate(run.optimizers, factor)
            losses, norm = take_step(run, reader.take(), habits.bf16)
            cpu_now = time.process_time()
            run.cpu_s, cpu_before = run.cpu_s + cpu_now - cpu_before, cpu_now
            sums = {name: sums.get(name, 0) + loss for name, loss in losses.items()}
            is_last = run.step == config["steps"]
            if run.step % LOG_EVERY == 0:
                means = {name: f"{float(total) / LOG_EVERY:.4f}" for name, total in sums.items()}
                progress = {"step": run.step, "images": run.images, "cpu_s": f"{run.cpu_s:.0f}"}
                log.add({**progress, "rate": f"{factor:.3f}", **means, "gradient_norm": f"{norm:.2f}"})
                sums = {}
            if run.step % SAVE_EVERY[device] == 0 or is_last:
                pool.refresh()
            if (habits.saves and run.step % SAVE_EVERY[device] == 0) or is_last:
                run.save(out, run.record(config_name, pool))
                log.draw()
            if habits.keep_every and (run.step % habits.keep_every == 0 or is_last):
                run.keep(out, run.record(config_name, pool))
            if (habits.saves and run.step % PREVIEW_EVERY[device] == 0) or is_last:
                write_preview(run.ema.weights, config["arch"], pool, out / f"preview-{run.step:06d}.png")
            habits.after_step()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--pool", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--init", type=Path, help="weights to start from: an earlier run's checkpoint (its average) or an official .pth"
    )
    parser.add_argument("--steps", type=int, help="overrides the config; the record keeps the steps taken")
    parser.add_argument("--keep-every", type=int, help="keep the averaged weights every N steps, for a learning curve")
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
    habits = Habits(options.bf16, options.keep_every)
    train(run, Pool(options.pool), options.out, options.config.name, habits)


if __name__ == "__main__":
    main()
