"""The files of a pool. A shard is two: `<kind>_<HxW>_<source>_rgb.npy` uint8 (N, T, H, W, 3) and `..._inv.npy`
float16 (N, T, H, W), inverse depth.
"""

import os
from pathlib import Path

import numpy as np

CLIPS_PER_SHARD = {"stills": 256, "clips": 16}


def shard_stem(kind: str, size_hw: tuple[int, int], source: str) -> str:
    """`source` is a seed, or the name of a data set and a number with a hyphen between."""
    return f"{kind}_{size_hw[0]}x{size_hw[1]}_{source}"


def is_complete(out: Path, stem: str) -> bool:
    return (out / f"{stem}_rgb.npy").exists()


def save_shard(out: Path, stem: str, rgb: list[np.ndarray], inverse_depth: list[np.ndarray]) -> None:
    np.save(out / f"{stem}_inv.npy", np.stack(inverse_depth).astype(np.float16))
    # the rgb file comes last and whole: its presence means that the shard is complete
    partial = out / f"{stem}.partial.npy"
    np.save(partial, np.stack(rgb))
    os.replace(partial, out / f"{stem}_rgb.npy")
