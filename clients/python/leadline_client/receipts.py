"""What comes from the server: outcomes to be read, how many more it may send, and up to where they are here."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from .events import Summary
from .flight import ResultWindow
from .outcome import DepthMap, Drop, Outcome
from .protocol import FLAG_DROPPED_BEFORE

# The server keeps what is not acknowledged: at 30 frames a second it is that of a quarter of a second.
_ACK_EVERY = 8
_ACK_SECONDS = 0.25


class Receipts:
    def __init__(self, read_ahead: int, say: Callable[[Mapping[str, Any]], None]) -> None:
        self._say = say
        self._window = ResultWindow(read_ahead)
        self._outcomes: deque[Outcome] = deque()
        self._after_drop = False
        self._results = self._drops = self._errors = 0
        self._granted_since = 0
        self._unsaid = 0
        self.acknowledges = False
        """Whether the server hears what is here."""
        self.ack_at: float | None = None
        """When `tick` has something to say."""
        self.since = 0.0
        self.epoch = 0
        """Of what comes now."""
        self.position = (0, -1)
        """Epoch and seq of the last outcome that came."""

    def received(self, seq: int, now: float) -> None:
        """The outcome of a frame is here, perhaps a second time: what was said of the first may not have been heard."""
        if seq > self.position[1]:
            self.position = (self.epoch, seq)
        if not self.acknowledges:
            return
        self._unsaid += 1
        if self._unsaid >= _ACK_EVERY:
            self.acknowledge()
        elif self.ack_at is None:
            self.ack_at = now + _ACK_SECONDS

    def tick(self, now: float) -> None:
        """Acknowledge, if it is time."""
        if self.ack_at is not None and now >= self.ack_at:
            self.acknowledge()

    def acknowledge(self) -> None:
        if self._unsaid > 0:
            self._say({"type": "ack", "seq": self.position[1]})
        self.lose()

    def lose(self) -> None:
        """Nobody hears; the position of a resumed session says it as well."""
        self._unsaid = 0
        self.ack_at = None

    def credit(self, count: int) -> int:
        """What to grant, in `config`, a server that knows of no grant; at least `count`."""
        self._granted_since = 0
        return self._window.renew(count)

    def greeted(self) -> None:
        """The server that was greeted has not heard what was granted since."""
        results, self._granted_since = self._granted_since, 0
        if results > 0:
            self._say({"type": "credit", "results": results})

    def cover(self, count: int) -> None:
        """`count` results must come, read or not."""
        self._grant(self._window.cover(count))

    def arrived(self) -> None:
        """A depth map is here."""
        self._window.arrived()

    def passed_over(self) -> None:
        """Nobody will read the one that arrived."""
        self._grant(self._window.read())

    def tell(self, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            if isinstance(outcome, DepthMap):
                self._results += 1
                if self._after_drop:
                    header = replace(outcome.header, flags=outcome.header.flags | FLAG_DROPPED_BEFORE)
                    outcome = replace(outcome, header=header)
            elif isinstance(outcome, Drop):
                self._drops += 1
            else:
                self._errors += 1
            self._after_drop = isinstance(outcome, Drop)
            self._outcomes.append(outcome)

    def take(self) -> Outcome | None:
        """The next outcome in order of seq, if there is one."""
        if not self._outcomes:
            return None
        outcome = self._outcomes.popleft()
        if isinstance(outcome, DepthMap):
            self._grant(self._window.read())
        return outcome

    def summary(self, now: float) -> Summary:
        frames = self._results + self._drops + self._errors
        return Summary(frames, self._results, self._drops, self._errors, round(now - self.since, 3))

    def _grant(self, results: int) -> None:
        if results > 0:
            self._granted_since += results
            self._say({"type": "credit", "results": results})
