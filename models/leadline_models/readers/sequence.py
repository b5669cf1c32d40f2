"""A video on disk with a depth map per frame, whatever the layout."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

UNKNOWN = -1.0  # inverse depth where nothing is known; 0 is infinitely far and is known

ReadInverseDepth = Callable[[Path], np.ndarray]


class LayoutError(ValueError):
    """The folder is not what the layout promises."""


@dataclass(frozen=True)
class Sequence:
    """Consecutive frames: where a number is missing, a new sequence begins."""

    name: str
    frames: list[tuple[Path, Path]]  # image and depth map
    read_depth: ReadInverseDepth

    def image(self, index: int) -> np.ndarray:
        """uint8 (H, W, 3)."""
        return np.asarray(Image.open(self.frames[index][0]).convert("RGB"))

    def inverse_depth(self, index: int) -> np.ndarray:
        """float32 (H, W), in 1/m; 0 is infinitely far, UNKNOWN where nothing is known."""
        path = self.frames[index][1]
        inverse = self.read_depth(path).astype(np.float32)
        size = Image.open(self.frames[index][0]).size[::-1]
        if inverse.shape != size:
            raise LayoutError(f"{path} has the shape {inverse.shape}, its image {size}")
        return inverse


def inverse_of(depth_m: np.ndarray, infinite_m: float) -> np.ndarray:
    """1/depth; `infinite_m` and beyond is infinitely far, zero and what is not a number is unknown."""
    known = np.isfinite(depth_m) & (depth_m > 0)
    inverse = 1 / np.where(known, depth_m, 1).astype(np.float32)
    return np.where(known, np.where(depth_m >= infinite_m, 0, inverse), UNKNOWN)


def pair_up(
    folder: Path, pattern: str, depth_of: Callable[[Path], Path], read_depth: ReadInverseDepth, root: Path
) -> list[Sequence]:
    """The images of one folder with their depth maps, in order of their numbers, cut where numbers are missing."""
    runs: list[list[tuple[Path, Path]]] = []
    last = None
    for image in sorted(folder.glob(pattern), key=frame_number):
        depth = depth_of(image)
        if not depth.exists():
            raise LayoutError(f"{image} has no depth map, expected {depth}: was the depth archive extracted there?")
        number = frame_number(image)
        if last is None or number != last + 1:
            runs.append([])
        runs[-1].append((image, depth))
        last = number
    name = folder.relative_to(root).as_posix()
    return [Sequence(f"{name} from {frame_number(run[0][0])}", run, read_depth) for run in runs]


def frame_number(path: Path) -> int:
    """The first number in the file's name."""
    match = re.search(r"\d+", path.stem)
    if not match:
        raise LayoutError(f"{path} has no frame number in its name")
    return int(match.group())


def require(sequences: list[Sequence], root: Path, layout: str, expected: str) -> list[Sequence]:
    if sequences:
        return sequences
    if not root.is_dir():
        raise LayoutError(f"{root} is not a folder")
    found = ", ".join(sorted(entry.name for entry in root.iterdir())[:8]) or "nothing"
    raise LayoutError(f"{root} holds no {layout} sequence: expected {expected}, found {found}")
