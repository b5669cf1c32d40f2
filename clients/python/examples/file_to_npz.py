"""Depth of a video file as npz: python file_to_npz.py VIDEO OUT.npz [--url ws://host:port]. Needs ffmpeg.

The npz has `depth` (frames x height x width, uint16), `scale` and `offset` (one each per frame: value = depth * scale
+ offset), `times` (seconds, at the video's mean rate), `epoch` (relative depth keeps its scale within one), `quantity`.
"""

import argparse
import json
import shutil
import subprocess
import sys
import threading
from fractions import Fraction

import numpy as np

from leadline_client import DepthMap, FailedFrame, LeadlineError, Stream, connect


def probe(video: str) -> tuple[Fraction, int, int]:
    """Frames per second, width and height as shown."""
    if shutil.which("ffprobe") is None or shutil.which("ffmpeg") is None:
        sys.exit("ffmpeg and ffprobe are missing; install them (apt install ffmpeg, brew install ffmpeg)")
    fields = "stream=width,height,avg_frame_rate:stream_side_data=rotation"
    command = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", fields, "-of", "json", video]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    streams = json.loads(ended.stdout or "{}").get("streams", [])
    if ended.returncode != 0 or not streams:
        sys.exit(f"{video} has no video that ffmpeg can read: {ended.stderr.strip() or 'it has no video stream'}")
    found = streams[0]
    if found["avg_frame_rate"].startswith("0/"):
        sys.exit(f"{video} does not say how many frames a second it has; `ffmpeg -i {video} x.mp4` makes one that does")
    is_turned = any(side.get("rotation", 0) % 180 for side in found.get("side_data_list", []))
    width, height = found["width"], found["height"]
    return Fraction(found["avg_frame_rate"]), *((height, width) if is_turned else (width, height))


def send_all(stream: Stream, video: str, rate: Fraction, width: int, height: int) -> None:
    command = ["ffmpeg", "-v", "error", "-i", video, "-r", str(rate), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE) as ffmpeg:
            assert ffmpeg.stdout is not None
            number = 0
            while len(pixels := ffmpeg.stdout.read(width * height * 3)) == width * height * 3:
                timestamp_us = round(number / rate * 1_000_000)
                stream.send(pixels, "rgb24", width=width, height=height, timestamp_us=timestamp_us)
                number += 1
        stream.close()
    except LeadlineError as error:
        print(error, file=sys.stderr)
        stream.abort()  # ends the loop that reads, with an error


def main(video: str, out: str, url: str) -> None:
    rate, width, height = probe(video)
    maps: list[DepthMap] = []
    with connect(url, {"delivery": "lossless", "output": {"format": "u16"}}) as stream:
        sender = threading.Thread(target=send_all, args=(stream, video, rate, width, height))
        sender.start()
        for outcome in stream.outcomes:
            if isinstance(outcome, DepthMap):
                maps.append(outcome)
            elif isinstance(outcome, FailedFrame):
                print(f"frame {outcome.seq}: {outcome.error}", file=sys.stderr)
        sender.join()
    if not maps:
        sys.exit(f"No frame of {video} has a depth map")
    np.savez_compressed(
        out,
        depth=np.stack([depth.stored for depth in maps]),
        scale=np.array([depth.header.scale for depth in maps], np.float32),
        offset=np.array([depth.header.offset for depth in maps], np.float32),
        times=np.array([depth.header.timestamp_us / 1_000_000 for depth in maps]),
        epoch=np.array([depth.epoch for depth in maps]),
        quantity=np.array(maps[0].quantity),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video")
    parser.add_argument("out")
    parser.add_argument("--url", default="ws://127.0.0.1:8042", help="the server (%(default)s)")
    given = parser.parse_args()
    try:
        main(given.video, given.out, given.url)
    except LeadlineError as error:
        remedy = "; `leadline serve` starts one, --url names another" if error.code == "CONNECTION_LOST" else ""
        sys.exit(f"{error}{remedy}")
