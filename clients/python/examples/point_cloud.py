"""A picture as a point cloud: python point_cloud.py PICTURE OUT.npy [FOV] [ws://host:port]. Needs numpy alone.

FOV is the horizontal field of view in degrees. Points are N x 3, in the camera's frame: x right, y down, z forward.
Of a metric model they are metres. Of a relative one their unit is unknown, and so is a shift of inverse depth: walls
may bend, and sizes may not be measured.
"""

import sys
from pathlib import Path

import numpy as np

from leadline_client import connect


def unproject(depth: np.ndarray, quantity: str, fov_degrees: float) -> np.ndarray:
    """Points of a depth map; those without a finite distance are left out."""
    height, width = depth.shape
    focal = width / 2 / np.tan(np.radians(fov_degrees) / 2)
    rows, columns = np.mgrid[0:height, 0:width] + 0.5
    with np.errstate(divide="ignore"):
        z = depth if quantity == "metric-depth" else 1 / depth  # 0 is as far as can be
    seen = np.isfinite(z) & (z > 0)
    rays = np.stack([(columns - width / 2) / focal, (rows - height / 2) / focal, np.ones_like(columns)], -1)
    return (rays[seen] * z[seen, None]).astype(np.float32)


def main(picture: str, out: str, fov_degrees: str = "60", url: str = "ws://127.0.0.1:8042") -> None:
    codec = {".jpg": "jpeg", ".jpeg": "jpeg", ".png": "png", ".webp": "webp"}[Path(picture).suffix.lower()]
    with connect(url, {"mode": "single", "delivery": "lossless", "output": {"format": "f32"}}) as stream:
        stream.send(Path(picture).read_bytes(), codec)
        stream.close()
        for depth in stream.results:
            np.save(out, unproject(depth.values, depth.quantity, float(fov_degrees)))


if __name__ == "__main__":
    main(*sys.argv[1:])
