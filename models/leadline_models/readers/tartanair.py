"""TartanAir (CC BY 4.0), left camera.

    <environment>/<Easy|Hard>/P000/image_left/000000_left.png         640x480
                                   depth_left/000000_left_depth.npy   float, metres along the optical axis

The sky sphere stands at about 10 km. See data_type.md of castacks/tartanair_tools.
"""

from pathlib import Path

import numpy as np

from .sequence import Sequence, inverse_of, pair_up, require

SKY_M = 5_000


def read_depth(path: Path) -> np.ndarray:
    return inverse_of(np.load(path), SKY_M)


def depth_of(image: Path) -> Path:
    return image.parents[1] / "depth_left" / f"{image.stem}_depth.npy"


def tartanair(root: Path) -> list[Sequence]:
    folders = sorted(root.glob("**/image_left"))
    sequences = [s for folder in folders for s in pair_up(folder, "*_left.png", depth_of, read_depth, root)]
    return require(sequences, root, "TartanAir", "<environment>/<Easy|Hard>/P*/image_left/*_left.png")
