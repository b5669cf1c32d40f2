"""A camera beside its depth in a window: python webcam_depth.py [--source 0] [--url ws://host:port]. q leaves.

Needs opencv-python. `--source` is a camera's number or a video file, which plays as fast as the server answers. Without
a screen, `--headless N --folder OUT` writes N pictures, OUT/000000.png and on, in place of the window.
"""

import argparse
import queue
import sys
import threading
from pathlib import Path

import numpy as np
import numpy.typing as npt

from leadline_client import DepthMap, Drop, LeadlineError, Stream, connect

try:
    import cv2
except ModuleNotFoundError:
    sys.exit("OpenCV is missing: pip install opencv-python (on a machine without a screen: opencv-python-headless)")

Picture = npt.NDArray[np.uint8]


def colours(depth: DepthMap) -> Picture:
    """Near is warm. The range is the server's, which follows the video slowly, so that colours do not flicker."""
    header = depth.header
    share = (depth.values - header.range_min) / max(header.range_max - header.range_min, 1e-6)
    if depth.quantity == "metric-depth":
        share = 1 - share
    return np.asarray(cv2.applyColorMap((share.clip(0, 1) * 255).astype(np.uint8), cv2.COLORMAP_TURBO), np.uint8)


def film(stream: Stream, capture: cv2.VideoCapture, pictures: queue.Queue[Picture], leaving: threading.Event) -> None:
    """Send pictures until there are no more. They are queued before they go, since each has one outcome, in order."""
    try:
        while not leaving.is_set():
            has_picture, picture = capture.read()
            if not has_picture:
                break
            pictures.put(np.asarray(picture, np.uint8))
            stream.send(cv2.imencode(".jpg", picture)[1].tobytes(), "jpeg")
        stream.close()
    except LeadlineError as error:
        if not leaving.is_set():
            print(error, file=sys.stderr)
            stream.abort()  # ends the loop that reads


def show(both: Picture) -> bool:
    """Whether to go on."""
    try:
        cv2.imshow("Leadline", both)
        return cv2.waitKey(1) != ord("q")
    except cv2.error:
        sys.exit("This OpenCV has no windows: pip install opencv-python, or write pictures with --headless N")


def main(source: str, url: str, headless: int | None, folder: Path) -> None:
    is_camera = source.isdecimal()
    capture = cv2.VideoCapture(int(source) if is_camera else source)
    if not capture.isOpened():
        sys.exit(
            f"--source {source}: no such camera; is it plugged in, and not in use by another program? 0 is the first"
            if is_camera
            else f"--source {source}: not a video that OpenCV can read; give a camera's number (0) or a video file"
        )
    if headless is not None:
        folder.mkdir(parents=True, exist_ok=True)
    shown = 0
    pictures: queue.Queue[Picture] = queue.Queue()
    leaving = threading.Event()
    # Of a camera only the newest picture matters; of a file, each.
    config = {"delivery": "latest" if is_camera else "lossless", "output": {"format": "u16"}}
    with connect(url, config, on_event=lambda event: print(event, file=sys.stderr)) as stream:
        filming = threading.Thread(target=film, args=(stream, capture, pictures, leaving), daemon=True)
        filming.start()
        try:
            for outcome in stream.outcomes:
                picture = pictures.get()
                if leaving.is_set() or isinstance(outcome, Drop):
                    continue
                if not isinstance(outcome, DepthMap):
                    print(f"frame {outcome.seq}: {outcome.error}", file=sys.stderr)
                    continue
                right = cv2.resize(colours(outcome), (picture.shape[1], picture.shape[0]))
                both = np.hstack([picture, np.asarray(right, np.uint8)])
                shown += 1
                if headless is None:
                    goes_on = show(both)
                else:
                    cv2.imwrite(str(folder / f"{shown - 1:06}.png"), both)
                    goes_on = shown < headless
                if not goes_on:
                    leaving.set()
        finally:
            leaving.set()
    filming.join()
    capture.release()
    if headless is not None and shown < headless:
        sys.exit(f"--source {source} ended after {shown} pictures with depth; --headless asked for {headless}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", default="0", help="a camera's number or a video file (0)")
    parser.add_argument("--url", default="ws://127.0.0.1:8042", help="the server (%(default)s)")
    parser.add_argument("--headless", type=int, metavar="N", help="write N pictures in place of a window")
    parser.add_argument("--folder", type=Path, default=Path("depth-frames"), help="for them (%(default)s)")
    given = parser.parse_args()
    try:
        main(given.source, given.url, given.headless, given.folder)
    except LeadlineError as error:
        remedy = "; `leadline serve` starts one, --url names another" if error.code == "CONNECTION_LOST" else ""
        sys.exit(f"{error}{remedy}")
