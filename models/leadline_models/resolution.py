"""At which size the network runs, and the way there and back."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .network import normalize_image

LOWER_BOUND = 196  # the shorter side is scaled to this many pixels ...
MAX_AREA = 196 * 350  # ... unless the image would then have more pixels than a 16:9 one


def max_area_of(lower_bound: int) -> int:
    """What a manifest with that lower bound allows: a 16:9 image, and no less than the bundled network's."""
    return max(MAX_AREA, round(MAX_AREA * (lower_bound / LOWER_BOUND) ** 2))


def model_size(height: int, width: int, multiple: int, lower_bound: int = LOWER_BOUND) -> tuple[int, int]:
    """The resolution at which the service would run such a frame: multiples as told, shape kept, area bounded."""
    scale = min(lower_bound / min(height, width), (max_area_of(lower_bound) / (height * width)) ** 0.5)
    return nearest_multiples((height * scale, width * scale), multiple)


def nearest_multiples(size_hw: tuple[float, float], multiple: int) -> tuple[int, int]:
    return tuple(max(1, round(side / multiple)) * multiple for side in size_hw)


def resize_frames(frames: np.ndarray, size_hw: tuple[int, int]) -> Tensor:
    """uint8 (T, H, W, 3) -> network input (T, 3, h, w)."""
    resized = [np.asarray(Image.fromarray(frame).resize(size_hw[::-1], Image.BICUBIC)) for frame in frames]
    return normalize_image(torch.from_numpy(np.stack(resized)).permute(0, 3, 1, 2))


def resize_depth(depth: Tensor, size_hw: tuple[int, int]) -> np.ndarray:
    """(T, h, w) -> (T, H, W)."""
    return torch.nn.functional.interpolate(depth[:, None], size_hw, mode="bilinear", align_corners=True)[:, 0].numpy()
