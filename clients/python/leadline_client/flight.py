"""Frames on their way, and the last ones that arrived."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from .errors import LeadlineError
from .outcome import FailedFrame, Outcome
from .protocol import as_history


@dataclass
class _Travelling:
    message: bytes
    since: float
    outcome: Outcome | None = None
    """Of a frame that waits for the outcomes of those before it."""


class Flight:
    """Frames taken from the application, outcome not yet told. They are kept whole, to be sent again."""

    def __init__(self) -> None:
        self._frames: dict[int, _Travelling] = {}
        # Seqs before those of `_frames`, of a former process. Their outcomes come in order; some may not be frames.
        self._former = range(0)
        self._former_since = 0.0
        self._unsettled = 0
        self.bytes = 0
        """Of the frames that have no outcome and are here."""

    @property
    def unsettled(self) -> int:
        """Frames without outcome; of a former process's, at most so many."""
        return self._unsettled + len(self._former)

    def inherit(self, former: range, now: float) -> None:
        """A former process may have sent these, and they may have no outcome."""
        self._former = former
        self._former_since = now

    def lose_former(self, after: int) -> list[Outcome]:
        """The servers have none above `after`: of what a former process sent beyond nobody hears. Gives as the next."""
        if not self._former:
            return []
        self._former = range(self._former.start, min(self._former.stop, after + 1))
        return self._release()

    def pass_former(self, seq: int) -> list[Outcome]:
        """Of a former process's frames none below `seq` will have an outcome any more. Gives what may be told now."""
        if not self._former:
            return []
        self._former = range(max(self._former.start, seq), self._former.stop)
        return self._release()

    def depart(self, seq: int, message: bytes, now: float) -> None:
        self._frames[seq] = _Travelling(message, now)
        self._unsettled += 1
        self.bytes += len(message)

    def message(self, seq: int) -> bytes | None:
        """The frame as it was sent, while it has no outcome."""
        frame = self._frames.get(seq)
        return None if frame is None or frame.outcome is not None else frame.message

    def above(self, after: int) -> list[int]:
        """Frames without outcome above `after`, in order."""
        return [seq for seq, frame in self._frames.items() if seq > after and frame.outcome is None]

    def settle(self, seq: int, now: float, outcome: Callable[[float], Outcome]) -> list[Outcome] | None:
        """The frame's outcome is known; it is told its latency in milliseconds.

        Gives what may be told now, in order of seq; None for a frame that is not on its way.
        """
        if seq in self._former:
            self._former = range(seq + 1, self._former.stop)
            return [outcome((now - self._former_since) * 1000), *self._release()]
        frame = self._frames.get(seq)
        if frame is None or frame.outcome is not None:
            return None
        frame.outcome = outcome((now - frame.since) * 1000)
        self._unsettled -= 1
        self.bytes -= len(frame.message)
        return self._release()

    def end(self, error: LeadlineError, now: float) -> list[Outcome]:
        """The stream is over: whatever is on its way fails."""
        for seq, frame in self._frames.items():
            if frame.outcome is None:
                frame.outcome = FailedFrame(seq, error, (now - frame.since) * 1000)
        return self.leave()

    def leave(self) -> list[Outcome]:
        """The stream is left: whatever has no outcome has it elsewhere. Gives those that waited for others."""
        told = [frame.outcome for frame in self._frames.values() if frame.outcome is not None]
        self._frames.clear()
        self._former = range(0)
        self._unsettled = self.bytes = 0
        return told

    def _release(self) -> list[Outcome]:
        told: list[Outcome] = []
        if self._former:
            return told
        for frame in self._frames.values():
            if frame.outcome is None:
                break
            told.append(frame.outcome)
        for outcome in told:
            del self._frames[outcome.seq]
        return told


class ReplayRing:
    """The last frames that the latent cache has seen: from them a server that lost it can make it anew."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._max_frames = 0
        self._frames: deque[bytes] = deque()
        self._bytes = 0

    def keep(self, frames: int) -> None:
        """How many frames help to make a cache anew."""
        self._max_frames = frames
        self._trim()

    def push(self, message: bytes) -> None:
        """The frame has its depth map."""
        self._frames.append(message)
        self._bytes += len(message)
        self._trim()

    def clear(self) -> None:
        """A new epoch: no later depth map depends on what was before."""
        self._frames.clear()
        self._bytes = 0

    def replay(self, frames: int, max_bytes: int) -> list[bytes]:
        """The last of them, oldest first, marked as history."""
        chosen: list[bytes] = []
        left = max_bytes
        for message in reversed(self._frames):
            left -= len(message)
            if left < 0 or len(chosen) == frames:
                break
            chosen.append(as_history(message))
        return chosen[::-1]

    def _trim(self) -> None:
        while len(self._frames) > self._max_frames or self._bytes > self._max_bytes:
            self._bytes -= len(self._frames.popleft())


class ResultWindow:
    """How many depth maps the server may send: enough to keep `read_ahead` between it and the reader, never more."""

    def __init__(self, read_ahead: int) -> None:
        self._read_ahead = read_ahead
        self.outstanding = read_ahead
        """Granted, not here yet."""
        self._unread = 0

    def arrived(self) -> None:
        self.outstanding -= 1
        self._unread += 1

    def read(self) -> int:
        """One was read: how many to grant now."""
        self._unread -= 1
        return self.cover(self._read_ahead - self._unread)

    def cover(self, count: int) -> int:
        """`count` must come, read or not: how many to grant now."""
        missing = max(0, count - self.outstanding)
        self.outstanding += missing
        return missing

    def renew(self, count: int) -> int:
        """A server that knows of no grant: what to grant it, and at least `count`."""
        self.outstanding = max(0, self._read_ahead - self._unread, count)
        return self.outstanding
