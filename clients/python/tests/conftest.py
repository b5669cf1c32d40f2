import os
import queue
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
# Only for giving up: a machine may be slow.
GIVE_UP_SECONDS = 120
# The fake executor answers at once and remembers, as a network does, what it has seen.
LEADLINE = [
    *("node", "--require", "./src/thread-pool.cjs", "--import", "tsx", "src/cli.ts"),
    "serve",
]


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Address of a real server of one's own, `host:port`, on the fake executor."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed, so there is no server to talk to")
    with tempfile.TemporaryDirectory() as folder:
        settings = {
            "LEADLINE_EXECUTOR": "fake",
            "LEADLINE_PORT": "0",
            "LEADLINE_LAME_DUCK_MS": "0",
            "LEADLINE_DATA_DIR": folder,
        }
        inherited = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
        process = subprocess.Popen(
            LEADLINE,
            cwd=ROOT,
            env={**inherited, **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            yield _address(process)
        finally:
            process.terminate()
            try:
                process.wait(GIVE_UP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def _address(process: subprocess.Popen[str]) -> str:
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        for line in process.stdout:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    said = ""
    while (line := lines.get(timeout=GIVE_UP_SECONDS)) is not None:
        said += line
        if found := re.search(r"http://(127\.0\.0\.1:\d+)", line):
            return found[1]
    raise RuntimeError(f"The server ended before it listened:\n{said}")
