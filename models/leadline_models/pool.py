"""Render clips into a pool of shards that training draws from.

    python -m leadline_models.pool --out POOL --kind stills --size 168x224 --shards 8 --seed 100

A shard's seed fixes every pixel, up to rounding that differs between machines. Shards that are there already
are passed by. `--workers` are processes, each with shards of its own: on a CPU as many as cores; on a GPU they
take turns at it while the others compose scenes and compress pictures, which is most of the work.
"""

import argparse
import multiprocessing
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from .generator.clip import Clip, compiled_render, film_scene
from .generator.render import render
from .generator.scene import NUM_TEXTURES
from .generator.textures import build_atlas
from .holdout import FIRST_HOLDOUT_SEED
from .shards import CLIPS_PER_SHARD, is_complete, save_shard, shard_stem

FRAMES = {"stills": 1, "clips": 16}
SEEDS_PER_ATLAS = 100  # shards whose seeds share the hundreds share their textures


@dataclass(frozen=True)
class PoolPlan:
    out: Path
    kind: str
    num_frames: int
    size_hw: tuple[int, int]
    views_per_scene: int
    device: str
    threads: int
    eager: bool


def parse_size(text: str) -> tuple[int, int]:
    height, width = text.split("x")
    return int(height), int(width)


def shard_clips(plan: PoolPlan, seed: int, atlas: torch.Tensor, render_frames) -> list[Clip]:
    views = [plan.views_per_scene] if plan.views_per_scene > 1 else []  # one view: as before there were several
    rng = np.random.default_rng([seed, plan.num_frames, *plan.size_hw, *views])
    frames_per_run = 1 if plan.device == "cpu" else plan.num_frames
    clips: list[Clip] = []
    while len(clips) < CLIPS_PER_SHARD[plan.kind]:
        clips += film_scene(
            rng, plan.views_per_scene, plan.num_frames, plan.size_hw, atlas, render_frames, frames_per_run
        )
    return clips[: CLIPS_PER_SHARD[plan.kind]]


def render_shards(plan: PoolPlan, seeds: list[int]) -> None:
    """What one process does. Textures are made once for all seeds that share them: they cost seconds."""
    torch.set_num_threads(plan.threads)
    render_frames = render if plan.eager else compiled_render()
    atlas, atlas_seed = None, None
    for seed in seeds:
        stem = shard_stem(plan.kind, plan.size_hw, f"{seed:06d}")
        if is_complete(plan.out, stem):
            continue
        started = time.monotonic()
        if seed // SEEDS_PER_ATLAS != atlas_seed:
            atlas_seed = seed // SEEDS_PER_ATLAS
            atlas = build_atlas(atlas_seed, NUM_TEXTURES).to(plan.device)
        clips = shard_clips(plan, seed, atlas, render_frames)
        save_shard(plan.out, stem, [clip.frames for clip in clips], [clip.inverse_depth for clip in clips])
        frames = len(clips) * plan.num_frames
        print(f"{plan.kind} {seed}: {frames / (time.monotonic() - started):.1f} frames/s", flush=True)


def render_in_processes(plan: PoolPlan, seeds: list[int], workers: int) -> None:
    if workers == 1:
        return render_shards(plan, seeds)
    spawn = multiprocessing.get_context("spawn")  # a forked process could not use the GPU
    processes = [spawn.Process(target=render_shards, args=(plan, seeds[i::workers])) for i in range(workers)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    failed = sum(process.exitcode != 0 for process in processes)
    if failed:
        raise RuntimeError(f"{failed} of {workers} workers failed, see above; the same command renders what is missing")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--kind", choices=FRAMES, required=True)
    parser.add_argument("--size", type=parse_size, default=(168, 224), help="HxW of the rendered frames")
    parser.add_argument("--frames", type=int, help="frames per clip (default: 1 for stills, 16 for clips)")
    parser.add_argument("--views-per-scene", type=int, default=1, help="camera tracks, each with other textures")
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--seed", type=int, required=True, help="seed of the first shard")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1, help="per process; one process per core beats many threads")
    parser.add_argument("--eager", action="store_true", help="do not compile the ray caster")
    options = parser.parse_args(arguments)

    seeds = list(range(options.seed, options.seed + options.shards))
    if seeds[-1] >= FIRST_HOLDOUT_SEED:
        parser.error(f"seeds from {FIRST_HOLDOUT_SEED} on belong to the hold-out, got {seeds[-1]}")
    options.out.mkdir(parents=True, exist_ok=True)
    plan = PoolPlan(
        out=options.out,
        kind=options.kind,
        num_frames=options.frames or FRAMES[options.kind],
        size_hw=options.size,
        views_per_scene=options.views_per_scene,
        device=options.device,
        threads=options.threads,
        eager=options.eager,
    )
    render_in_processes(plan, seeds, options.workers)


if __name__ == "__main__":
    main()
