"""Write the hold-out as plain RGB-D folders, for `leadline eval` and its pictures.

    python -m leadline_models.rgbd_folder --holdout HOLDOUT --out FOLDER

FOLDER/holdout-clips/NN has color/*.png and depth/*.png (16 bit, millimetres, 0 is unknown: sky, and what is beyond
65.5 m), and pose/*.txt (camera to world) with intrinsics.txt. Each still is a sequence of one frame,
FOLDER/holdout-stills/NNN, so that it is fitted by itself. FOLDER/holdout-cuts/NN shows two clips one after the other,
without poses: a video with a scene cut in the middle.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from .holdout import holdout

MAX_MM = 65_535


def write_frames(folder: Path, frames: np.ndarray, inverse_depth: np.ndarray) -> None:
    """frames uint8 (T, H, W, 3), inverse depth (T, H, W) in 1/m, 0 where unknown."""
    for part in ("color", "depth"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for index, (frame, inverse) in enumerate(zip(frames, inverse_depth)):
        mm = np.round(1000 / np.maximum(inverse, 1e-9))
        Image.fromarray(frame).save(folder / "color" / f"{index:03d}.png")
        Image.fromarray(np.where(mm <= MAX_MM, mm, 0).astype(np.uint16)).save(folder / "depth" / f"{index:03d}.png")


def write_cameras(
    folder: Path, positions: np.ndarray, rotations: np.ndarray, half_width_tan: float, size_hw: tuple[int, int]
) -> None:
    """A `CameraTrack`. The generator's world has y up and is left-handed: y is turned over."""
    height, width = size_hw
    focal = width / 2 / half_width_tan
    np.savetxt(folder / "intrinsics.txt", [[focal, 0, width / 2 - 0.5], [0, focal, height / 2 - 0.5], [0, 0, 1]])
    (folder / "pose").mkdir(exist_ok=True)
    flip = np.diag([1.0, -1.0, 1.0])
    for index, (position, axes) in enumerate(zip(positions, rotations)):
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = flip @ axes.T, flip @ position
        np.savetxt(folder / "pose" / f"{index:03d}.txt", pose)


def write_holdout(data: dict[str, np.ndarray], out: Path) -> None:
    for index, (frames, inverse) in enumerate(zip(data["stills_rgb"], data["stills_inv"])):
        write_frames(out / "holdout-stills" / f"{index:03d}", frames, inverse)
    for index, (frames, inverse) in enumerate(zip(data["clips_rgb"], data["clips_inv"])):
        folder = out / "holdout-clips" / f"{index:02d}"
        write_frames(folder, frames, inverse)
        if "clips_positions" in data:
            track = [data[f"clips_{name}"][index] for name in ("positions", "rotations", "half_width_tan")]
            write_cameras(folder, *track, size_hw=inverse.shape[1:])
    for index in range(0, len(data["clips_rgb"]) - 1, 2):
        pair = slice(index, index + 2)
        write_frames(
            out / "holdout-cuts" / f"{index // 2:02d}",
            np.concatenate(data["clips_rgb"][pair]),
            np.concatenate(data["clips_inv"][pair]),
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--holdout", type=Path, required=True, help="folder in which the generated hold-out is kept")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    data = holdout(options.holdout)
    write_holdout(data, options.out)
    if "clips_positions" not in data:
        print(f"The hold-out in {options.holdout} was made before it kept cameras: no poses; remove it to have them.")


if __name__ == "__main__":
    main()
