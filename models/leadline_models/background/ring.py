"""An endless stream of fresh scenes into a pool of bounded size: the oldest shards go as new ones come."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ..generator.clip import Render, compiled_render
from ..generator.render import render
from ..generator.scene import NUM_TEXTURES
from ..generator.textures import build_atlas
from ..holdout import FIRST_HOLDOUT_SEED
from ..pool import SEEDS_PER_ATLAS, PoolPlan, shard_clips
from ..shards import save_shard, shard_stem

SHARDS_PER_ATLAS = 20  # textures cost seconds


@dataclass(frozen=True)
class RingPart:
    kind: str
    num_frames: int
    size_hw: tuple[int, int]
    share: float  # of the shards rendered
    limit: int  # shards kept


# 12,000 stills and 380 clips, 3.3 GB; a shard of either kind takes about as long
RING = (
    RingPart("stills", 1, (168, 224), share=0.5, limit=30),
    RingPart("stills", 1, (144, 256), share=0.25, limit=12),
    RingPart("stills", 1, (224, 168), share=0.1, limit=6),
    RingPart("clips", 24, (126, 168), share=0.15, limit=24),
)


def fill_ring(
    out: Path, is_wanted: Callable[[], bool], parts: tuple[RingPart, ...] = RING, eager: bool = False
) -> None:
    """Renders until `is_wanted` says no, which is asked before each shard."""
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng()
    shares = np.array([part.share for part in parts])
    render_frames = render if eager else compiled_render()
    while is_wanted():
        atlas_seed = int(rng.integers(FIRST_HOLDOUT_SEED // SEEDS_PER_ATLAS))
        atlas = build_atlas(atlas_seed, NUM_TEXTURES)
        for number in range(SHARDS_PER_ATLAS):
            if not is_wanted():
                return
            part = parts[rng.choice(len(parts), p=shares / shares.sum())]
            add_shard(out, part, atlas_seed * SEEDS_PER_ATLAS + number, atlas, render_frames)
            drop_oldest(out, part)


def sweep(out: Path) -> None:
    """Takes away what a kill has left half written. Not while anyone renders there."""
    for path in out.glob("*.npy"):
        is_whole = path.name.endswith("_rgb.npy") or path.with_name(path.name.replace("_inv", "_rgb")).exists()
        if not is_whole or ".partial" in path.name:
            path.unlink()


def add_shard(out: Path, part: RingPart, seed: int, atlas: torch.Tensor, render_frames: Render) -> None:
    plan = PoolPlan(out, part.kind, part.num_frames, part.size_hw, 1, "cpu", threads=1, eager=False)
    clips = shard_clips(plan, seed, atlas, render_frames)
    stem = shard_stem(part.kind, part.size_hw, f"{seed:06d}")
    save_shard(out, stem, [clip.frames for clip in clips], [clip.inverse_depth for clip in clips])


def drop_oldest(out: Path, part: RingPart) -> None:
    stems = shard_stem(part.kind, part.size_hw, "*")
    for path in sorted(out.glob(f"{stems}_rgb.npy"), key=os.path.getmtime)[: -part.limit]:
        path.unlink(missing_ok=True)  # first: its presence says that the shard is whole
        path.with_name(path.name.replace("_rgb", "_inv")).unlink(missing_ok=True)
