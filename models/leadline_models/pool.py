"""Render clips into a pool of shards that training draws from.

    python -m leadline_models.pool --out POOL --kind stills --size 168x224 --shards 8 --seed 100

A shard is two files, `<kind>_<HxW>_<seed>_rgb.npy` uint8 (N, T, H, W, 3) and `..._inv.npy` float16
(N, T, H, W). Its seed fixes every pixel, up to rounding that differs between machines.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np
import torch

from .generator.clip import compiled_render, generate_clip
from .generator.render import render
from .generator.scene import NUM_TEXTURES
from .generator.textures import build_atlas

FRAMES = {"stills": 1, "clips": 16}
CLIPS_PER_SHARD = {"stills": 256, "clips": 16}
SEEDS_PER_ATLAS = 100  # shards whose seeds share the hundreds share their textures


def parse_size(text: str) -> tuple[int, int]:
    height, width = text.split("x")
    return int(height), int(width)


def write_shard(
    out: Path, kind: str, num_frames: int, size_hw: tuple[int, int], seed: int, atlas, render_frames, frames_per_run
) -> None:
    rng = np.random.default_rng([seed, num_frames, *size_hw])
    clips = [
        generate_clip(rng, num_frames, size_hw, atlas, render_frames, frames_per_run)
        for _ in range(CLIPS_PER_SHARD[kind])
    ]
    stem = f"{kind}_{size_hw[0]}x{size_hw[1]}_{seed:06d}"
    np.save(out / f"{stem}_inv.npy", np.stack([clip.inverse_depth for clip in clips]).astype(np.float16))
    # the rgb file comes last and whole: its presence means that the shard is complete
    partial = out / f"{stem}.partial.npy"
    np.save(partial, np.stack([clip.frames for clip in clips]))
    os.replace(partial, out / f"{stem}_rgb.npy")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--kind", choices=FRAMES, required=True)
    parser.add_argument("--size", type=parse_size, default=(168, 224), help="HxW of the rendered frames")
    parser.add_argument("--frames", type=int, help="frames per clip (default: 1 for stills, 16 for clips)")
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--seed", type=int, required=True, help="seed of the first shard")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1, help="one process per core beats many threads")
    parser.add_argument("--eager", action="store_true", help="do not compile the ray caster")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    render_frames = render if options.eager else compiled_render()
    num_frames = options.frames or FRAMES[options.kind]
    frames_per_run = 1 if options.device == "cpu" else num_frames
    for seed in range(options.seed, options.seed + options.shards):
        started = time.monotonic()
        atlas = build_atlas(seed // SEEDS_PER_ATLAS, NUM_TEXTURES).to(options.device)
        write_shard(
            options.out, options.kind, num_frames, options.size, seed, atlas, render_frames, frames_per_run
        )
        frames = CLIPS_PER_SHARD[options.kind] * num_frames
        print(f"{options.kind} {seed}: {frames / (time.monotonic() - started):.1f} frames/s", flush=True)


if __name__ == "__main__":
    main()
