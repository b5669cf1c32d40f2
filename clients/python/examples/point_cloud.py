"""A picture, or a frame of a video, as a point cloud: python point_cloud.py FILE OUT.ply [--fov 60] [--frame 0]

Needs ffmpeg, which reads the file. `--fov` is the horizontal field of view in degrees. Axes are those of a camera in
OpenCV: x to the right, y down, z forward; right-handed. Of a metric model the unit is the metre. Relative depth has
none, and an unknown shift too, so walls may bend: the nearest point is put at z = 1 and the farthest at 4. Each
point has the picture's colour, and in `depth` the value as the model gave it. `--url ws://host:port` names the server.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

from leadline_client import DepthMap, FailedFrame, LeadlineError, connect

NEAR, FAR = 1.0, 4.0
POINT = np.dtype([("xyz", "<f4", 3), ("rgb", "u1", 3), ("depth", "<f4")])


def distance(values: npt.NDArray[np.float32], quantity: str) -> npt.NDArray[np.float64]:
    """z of each value: metres, or 1 (the map's nearest) to 4 (its farthest)."""
    wide = values.astype(np.float64)
    if quantity == "metric-depth":
        return wide
    least, greatest = wide.min(), wide.max()
    share = (wide - least) / (greatest - least) if greatest > least else np.zeros_like(wide)
    return 1 / (1 / FAR + share * (1 / NEAR - 1 / FAR))


def unproject(z: npt.NDArray[np.float64], fov_degrees: float) -> npt.NDArray[np.float32]:
    """height x width x 3: where each pixel's centre lies, of a pinhole camera with square pixels."""
    height, width = z.shape
    focal = width / 2 / np.tan(np.radians(fov_degrees) / 2)
    rows, columns = np.mgrid[0:height, 0:width] + 0.5
    rays = np.stack([(columns - width / 2) / focal, (rows - height / 2) / focal, np.ones_like(z)], -1)
    return (rays * z[..., None]).astype(np.float32)


def write_ply(out: Path, points: npt.NDArray[np.void], quantity: str) -> None:
    relative = f"free of scale: the nearest point is put at {NEAR:g}, the farthest at {FAR:g}"
    unit = "metres" if quantity == "metric-depth" else relative
    header = [
        *("ply", "format binary_little_endian 1.0"),
        "comment axes of a camera in OpenCV: x to the right, y down, z forward; right-handed",
        *(f"comment x y z: {unit}", f"comment depth: {quantity}", f"element vertex {len(points)}"),
        *(f"property float {axis}" for axis in "xyz"),
        *(f"property uchar {colour}" for colour in ("red", "green", "blue")),
        *("property float depth", "end_header\n"),
    ]
    out.write_bytes("\n".join(header).encode("ascii") + points.tobytes())


def picture_of(file: str, frame: int) -> npt.NDArray[np.uint8]:
    """RGB, height x width x 3."""
    # PPM: "P6", width and height, 255, each on a line, then the pixels.
    command = ["ffmpeg", "-v", "error", "-i", file, "-vf", f"select=eq(n\\,{frame})", "-frames:v", "1"]
    try:
        ended = subprocess.run([*command, "-f", "image2pipe", "-c:v", "ppm", "-"], capture_output=True, check=False)
    except FileNotFoundError:
        sys.exit("ffmpeg is missing; install it (apt install ffmpeg, brew install ffmpeg)")
    if ended.returncode != 0:
        sys.exit(f"{file} is no picture or video that ffmpeg can read: {ended.stderr.decode(errors='replace').strip()}")
    if not ended.stdout:
        sys.exit(f"--frame {frame}: {file} has fewer frames; the first is 0")
    _, size, _, pixels = ended.stdout.split(b"\n", 3)
    width, height = map(int, size.split())
    return np.frombuffer(pixels, np.uint8).reshape(height, width, 3)


def depth_of(picture: npt.NDArray[np.uint8], url: str) -> DepthMap:
    config = {"mode": "single", "delivery": "lossless", "output": {"format": "f32", "size": "source"}}
    height, width, _ = picture.shape
    with connect(url, config) as stream:
        stream.send(picture.tobytes(), "rgb24", width=width, height=height)
        stream.close()
        outcome = stream.next_outcome()
    if isinstance(outcome, DepthMap):
        return outcome
    raise outcome.error if isinstance(outcome, FailedFrame) else SystemExit("The server gave no depth; try again")


def main(file: str, out: Path, fov_degrees: float, frame: int, url: str) -> None:
    if not 0 < fov_degrees < 180:
        sys.exit(f"--fov {fov_degrees:g}: give more than 0 and less than 180 degrees; a phone sees about 65")
    picture = picture_of(file, frame)
    depth = depth_of(picture, url)
    z = distance(depth.values, depth.quantity)
    points = np.zeros(z.shape, POINT)
    points["xyz"], points["rgb"], points["depth"] = unproject(z, fov_degrees), picture, depth.values
    write_ply(out, points[np.isfinite(z) & (z > 0)], depth.quantity)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("out", type=Path)
    parser.add_argument("--fov", type=float, default=60, help="horizontal field of view in degrees (%(default)s)")
    parser.add_argument("--frame", type=int, default=0, help="of a video, from 0 (%(default)s)")
    parser.add_argument("--url", default="ws://127.0.0.1:8042", help="the server (%(default)s)")
    given = parser.parse_args()
    try:
        main(given.file, given.out, given.fov, given.frame, given.url)
    except LeadlineError as error:
        remedy = "; `leadline serve` starts one, --url names another" if error.code == "CONNECTION_LOST" else ""
        sys.exit(f"{error}{remedy}")
