"""PointOdyssey (CC BY-NC-SA 4.0: not for weights of a commercial use).

    <train|val|test>/<scene>/rgbs/rgb_00000.jpg       960x540
                             depths/depth_00000.png   16 bit; 65535 stands for 1000 m, along the optical axis

The largest value is the background, a picture at infinity. See utils/reprojection.py of y-zheng18/point_odyssey.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from .sequence import LayoutError, Sequence, inverse_of, pair_up, require

MAX_VALUE, MAX_M = 65535, 1000


def read_depth(path: Path) -> np.ndarray:
    values = np.asarray(Image.open(path))
    if values.ndim != 2:
        raise LayoutError(f"{path} is not a single-channel 16-bit PNG: shape {values.shape}")
    return inverse_of(values.astype(np.float32) / MAX_VALUE * MAX_M, MAX_M)


def depth_of(image: Path) -> Path:
    return image.parents[1] / "depths" / f"{image.stem.replace('rgb', 'depth')}.png"


def point_odyssey(root: Path) -> list[Sequence]:
    folders = sorted(root.glob("**/rgbs"))
    sequences = [s for folder in folders for s in pair_up(folder, "rgb_*.jpg", depth_of, read_depth, root)]
    return require(sequences, root, "PointOdyssey", "<train|val|test>/<scene>/rgbs/rgb_*.jpg")
