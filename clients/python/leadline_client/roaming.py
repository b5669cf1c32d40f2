"""When to look for another socket, and for how long. Nothing here waits or connects: time and chance are arguments."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import LeadlineError

_BASE = 0.1
_CAP = 5.0
# Clients of a server that leaves do not come to the next one all at once.
_LONGEST_MOVE_DELAY = 1.0


def backoff(attempt: int, chance: float, retry_after_ms: int | None = None) -> float:
    """Seconds to wait before the attempt with this number, from 0, with full jitter; `chance` is in [0, 1).

    `retry_after_ms` is what the server asked for, which it has spread itself. See
    https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter.
    """
    return max((retry_after_ms or 0) / 1000, chance * min(_CAP, _BASE * 2.0 ** min(attempt, 16)))


@dataclass(frozen=True)
class Move:
    """Look for another socket after `delay` seconds, until the time `until`."""

    delay: float
    until: float


class Roaming:
    """What to do when a socket is lost, or its server leaves."""

    def __init__(self) -> None:
        self.grace = 0.0
        """Seconds for which the server keeps the session without a socket; 0: it does not."""
        self.is_moving = False
        self.lost_at: float | None = None
        # Since when no socket brought anything but `ready`, and how many were lost since then.
        self._barren_since: float | None = None
        self._barren = 0

    def heard(self) -> None:
        """Something came over a socket."""
        self._barren_since = None
        self._barren = 0

    def outlives(self, error: LeadlineError) -> bool:
        """Whether the session goes on without the socket that ended so."""
        if self.grace == 0 or not error.outlived:
            return False
        # Unless a move of our own has replaced the socket, whoever did has the session now.
        return error.code != "SESSION_REPLACED" or self.is_moving

    def lost(self, error: LeadlineError, now: float, chance: float) -> Move | None:
        """After a loss that the session outlives, while nothing moves yet; None: it has been lost for too long."""
        if self._barren_since is None:
            self._barren_since = now
        until = self._barren_since + self.grace
        if now >= until:
            return None
        move = Move(backoff(self._barren, chance, error.retry_after_ms), until)
        self._barren += 1
        return move

    def leaving(self, time_left: float, now: float, chance: float) -> Move | None:
        """The socket is good for `time_left` seconds; None: stay on it."""
        if self.is_moving or self.grace == 0:
            return None
        return Move(chance * min(_LONGEST_MOVE_DELAY, time_left / 4), now + time_left + self.grace)

    def found(self, now: float) -> float:
        """Another socket has the session: for how many seconds nothing could be sent or received."""
        self.is_moving = False
        seconds = 0.0 if self.lost_at is None else now - self.lost_at
        self.lost_at = None
        return seconds


def next_attempt(error: LeadlineError, attempt: int, now: float, until: float, chance: float) -> float | None:
    """Seconds to wait after the attempt failed so; None: give up."""
    left = until - now
    if not error.temporary or left <= (error.retry_after_ms or 0) / 1000:
        return None
    return min(left, backoff(attempt, chance, error.retry_after_ms))
