"""A whole video as depth: sent, run when its turn comes, fetched.

    python clip_to_npz.py walk.mp4 walk.npz

Goes on after a broken connection, and when it is started again also with an upload that it left. Unlike
file_to_npz.py it decodes nothing here: the server does, and sees frames before and after each with --mode offline.
"""

from __future__ import annotations

import argparse
import os
import sys

import numpy as np

from leadline_client.clips import Clip, ClipsClient, LeadlineError


def main(video: str, out: str, url: str, key: str | None, mode: str) -> None:
    clips = ClipsClient(url, key=key)
    about = os.stat(video)
    clip = clips.create(
        video,
        {"mode": mode, "results": ["npz"]},
        resume_key=f"{os.path.abspath(video)} {about.st_size} {about.st_mtime_ns} {mode}",
        on_progress=lambda sent, total: say(f"Sent {sent * 100 // total} %"),
    )
    try:
        done = clips.finished(clip, on_change=tell)
        clips.save(done, "npz", out)
    except KeyboardInterrupt:
        clips.cancel(clip)
        raise
    with np.load(out) as depth:
        print(f"{out}: {depth['depth'].shape} of {depth['quantity']}")


def tell(clip: Clip) -> None:
    say(f"Frame {clip.frames} of {clip.frame_count or '?'}" if clip.state == "running" else clip.state)


def say(line: str) -> None:
    print(line, file=sys.stderr)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video")
    parser.add_argument("out")
    parser.add_argument("--url", default="http://127.0.0.1:8042", help="the server (%(default)s)")
    parser.add_argument("--mode", default="online", help="online, or offline where the model has it (%(default)s)")
    given = parser.parse_args()
    try:
        main(given.video, given.out, given.url, os.environ.get("LEADLINE_KEY"), given.mode)
    except FileNotFoundError as error:
        sys.exit(f"{error.filename} is not there")
    except LeadlineError as error:
        remedy = "; `leadline serve` starts one, --url names another" if error.code == "CONNECTION_LOST" else ""
        sys.exit(f"{error}{remedy}")
