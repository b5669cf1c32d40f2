"""Virtual KITTI 2 (CC BY-NC-SA 3.0: not for weights of a commercial use), both cameras, every variation.

    Scene01/clone/frames/rgb/Camera_0/rgb_00000.jpg       1242x375
                  frames/depth/Camera_0/depth_00000.png   16 bit, centimetres along the optical axis

65535 (655.35 m) is the far plane, which here is the sky. The archives `rgb` and `depth` are extracted into one folder.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from .sequence import LayoutError, Sequence, inverse_of, pair_up, require

FAR_PLANE = 65535


def read_depth(path: Path) -> np.ndarray:
    centimetres = np.asarray(Image.open(path))
    if centimetres.ndim != 2:
        raise LayoutError(f"{path} is not a single-channel 16-bit PNG: shape {centimetres.shape}")
    return inverse_of(centimetres.astype(np.float32) / 100, FAR_PLANE / 100)


def depth_of(image: Path) -> Path:
    camera = image.parent
    return camera.parents[1] / "depth" / camera.name / f"{image.stem.replace('rgb', 'depth')}.png"


def virtual_kitti(root: Path) -> list[Sequence]:
    folders = sorted(root.glob("**/frames/rgb/Camera_*"))
    sequences = [s for folder in folders for s in pair_up(folder, "rgb_*.jpg", depth_of, read_depth, root)]
    return require(sequences, root, "Virtual KITTI 2", "Scene*/<variation>/frames/rgb/Camera_*/rgb_*.jpg")
