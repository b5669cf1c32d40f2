"""The folder of a background training: where its parts lie, and whether one is running there."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


class AlreadyRunning(Exception):
    pass


@dataclass(frozen=True)
class Home:
    folder: Path

    @property
    def pool(self) -> Path:
        return self.folder / "pool"

    @property
    def runs(self) -> Path:
        """One folder per phase, in order."""
        return self.folder / "runs"

    @property
    def holdout(self) -> Path:
        return self.folder / "holdout"

    @property
    def rows(self) -> Path:
        """JSON lines, one per measurement on the hold-out."""
        return self.folder / "curve.jsonl"

    @property
    def picture(self) -> Path:
        return self.folder / "curve.svg"

    @property
    def best(self) -> Path:
        """The averaged weights that scored best, with their record."""
        return self.folder / "best.pt"

    @property
    def log(self) -> Path:
        return self.folder / "log.txt"

    @property
    def lock(self) -> Path:
        return self.folder / "lock"

    @contextmanager
    def owned(self) -> Iterator[None]:
        """Held for as long as the block runs, and let go by the system however the process ends."""
        with self.lock.open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise AlreadyRunning(f"{self.folder}: process {self.owner()} trains here already") from None
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield

    @contextmanager
    def training(self) -> Iterator[None]:
        """Waits for a trainer whose supervisor was killed, which still takes its step and saves."""
        with (self.folder / "trainer.lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def owner(self) -> int | None:
        """Process id of the training that runs here; None where none does."""
        if not self.lock.exists():
            return None
        with self.lock.open("r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return None
            except BlockingIOError:
                return int(file.read() or 0) or None

    def read_rows(self) -> list[dict]:
        """A line cut short by a kill is passed over."""
        if not self.rows.exists():
            return []
        rows = []
        for line in self.rows.read_text().splitlines():
            try:
                rows.append(json.loads(line))
            except json.JSONDecodeError:
                continue
        return rows

    def add_row(self, row: dict) -> None:
        with self.rows.open("a") as file:
            file.write(json.dumps(row) + "\n")
            file.flush()
            os.fsync(file.fileno())
