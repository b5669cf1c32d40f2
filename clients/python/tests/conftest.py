import os
import queue
import re
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
# Only for giving up: a machine may be slow.
GIVE_UP_SECONDS = 120
LISTENING = r"leadline listening: http://(127\.0\.0\.1:\d+)"
LEADLINE = ["node", "--require", "./src/thread-pool.cjs", "--import", "tsx", "src/cli.ts"]


class Process:
    """A process that is gone when the test is, and what it printed."""

    def __init__(self, command: list[str], **settings: str) -> None:
        inherited = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
        self.child = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**inherited, **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def printed(self, pattern: str) -> re.Match[str]:
        """The first match in what it prints; raises if it ends without."""
        said = ""
        while (line := self._lines.get(timeout=GIVE_UP_SECONDS)) is not None:
            said += line
            if found := re.search(pattern, line):
                return found
        raise RuntimeError(f"{self.child.args} ended without printing {pattern}:\n{said}")

    def kill(self) -> None:
        self.child.kill()
        self.child.wait(GIVE_UP_SECONDS)

    def _read(self) -> None:
        for line in self.child.stdout:
            self._lines.put(line)
        self._lines.put(None)


def leadline(*arguments: str, **settings: str) -> Process:
    """A command of Leadline's as a process of its own, on the fake executor: a network that answers at once."""
    given = {"LEADLINE_EXECUTOR": "fake", "LEADLINE_PORT": "0", "LEADLINE_LAME_DUCK_MS": "0", **settings}
    return Process([*LEADLINE, *arguments], **given)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Address of a real server of one's own, `host:port`."""
    need("node")
    with tempfile.TemporaryDirectory() as folder:
        process = leadline("serve", LEADLINE_DATA_DIR=folder)
        try:
            yield process.printed(LISTENING)[1]
        finally:
            process.child.terminate()
            try:
                process.child.wait(GIVE_UP_SECONDS)
            finally:
                process.kill()


@pytest.fixture
def gateways() -> Iterator[list[tuple[str, Process]]]:
    """Two gateways of one installation, with their addresses, before one worker; Redis is between them."""
    need("node", "redis-server")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        redis = Process(["redis-server", "--port", port, "--save", "", "--dir", folder])
        started = [redis]
        try:
            redis.printed("Ready to accept connections")
            url = f"redis://127.0.0.1:{port}"
            started += [leadline(role, REDIS_URL=url) for role in ("worker", "gateway", "gateway")]
            started[1].printed("leadline serving")
            yield [(process.printed(LISTENING)[1], process) for process in started[2:]]
        finally:
            for process in reversed(started):
                process.kill()


def need(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed, so there is no server to talk to")
