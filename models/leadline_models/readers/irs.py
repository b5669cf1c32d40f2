"""IRS, the Indoor Robotics Stereo data set, left camera. Its repository names no licence for the data: ask.

    <Home|Office|Restaurant|Store>/<scene>/l_00001.png   960x540
                                           d_00001.exr   disparity in pixels, one channel

Disparity is inverse depth already: depth = focal length * baseline / disparity. See dataloader/ of HKBU-HPML/IRS;
the baseline is what others who use the data give, and only sets the scale, which training ignores.
"""

from pathlib import Path

import numpy as np

from .openexr import read_exr
from .sequence import UNKNOWN, Sequence, pair_up, require

FOCAL_PX, BASELINE_M = 480.0, 0.1


def read_depth(path: Path) -> np.ndarray:
    channels = read_exr(path)
    disparity = channels["G"] if "G" in channels else next(iter(channels.values()))
    known = np.isfinite(disparity) & (disparity > 0)
    return np.where(known, disparity, UNKNOWN * FOCAL_PX * BASELINE_M) / (FOCAL_PX * BASELINE_M)


def depth_of(image: Path) -> Path:
    return image.with_name(f"d_{image.stem.removeprefix('l_')}.exr")


def irs(root: Path) -> list[Sequence]:
    folders = sorted({image.parent for image in root.glob("**/l_*.png")})
    sequences = [s for folder in folders for s in pair_up(folder, "l_*.png", depth_of, read_depth, root)]
    return require(sequences, root, "IRS", "<Home|Office|Restaurant|Store>/<scene>/l_*.png")
