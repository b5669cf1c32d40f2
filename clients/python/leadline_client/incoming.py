"""What an open stream hears from its server, brought to whom it concerns."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any

from .checkpoints import Checkpoints
from .errors import server_failure
from .events import Told, told_by
from .flight import ReplayRing
from .outcome import DepthMap, Drop, FailedFrame, Outcome
from .protocol import FLAG_BLANK, Header
from .receipts import Receipts
from .upstream import Upstream


@dataclass
class Incoming:
    up: Upstream
    receipts: Receipts
    ring: ReplayRing
    checkpoints: Checkpoints
    flushes: set[str]
    """Asked for, not answered yet."""
    told: deque[Told]
    """For the application, or whoever has the socket."""
    _: KW_ONLY
    former_id: str
    """Of the flush that tells when a former process's frames have their outcomes."""
    on_settled: Callable[[], None]
    on_summary: Callable[[float], None]
    on_detached: Callable[[float], None]

    def control(self, message: dict[str, Any], now: float) -> None:
        """Raises what the server ends the session with."""
        kind = message["type"]
        if kind == "flushed" and message["id"] == self.former_id:
            self.up.was_answered("flush", self.former_id)
            self.up.pass_former(self.up.next_seq)
            self.on_settled()
        elif kind in ("flushed", "updated"):
            self.up.was_answered("flush" if kind == "flushed" else "update", message["id"])
            self.flushes.discard(message["id"])
        elif kind == "reset":
            if message["reason"] == "client":
                self.up.was_reset()
            self.receipts.epoch = message["epoch"]
            self.ring.clear()
        elif kind == "recovered":
            self.receipts.epoch = message["epoch"]
            if message["continuity"] == "new":
                self.ring.clear()
            self.told.append(told_by(message))
        elif kind == "checkpoint":
            self.checkpoints.told(message)
        elif kind in ("goAway", "advice", "notice", "parked"):
            if kind == "advice":
                self.up.pace(message["fps"])
            self.told.append(told_by(message))
        elif kind == "drop":
            seq, reason = message["seq"], message["reason"]
            self._settle(seq, now, lambda ms: Drop(seq, reason, ms))
        elif kind == "error":
            error = server_failure(message["code"], message["detail"], message.get("retryAfterMs"))
            if "seq" not in message:
                raise error
            self._settle(message["seq"], now, lambda ms: FailedFrame(message["seq"], error, ms))
        elif kind == "summary":
            self.on_summary(now)
        elif kind == "detached":
            self.on_detached(now)

    def depth(self, header: Header, payload: memoryview, now: float) -> None:
        frame = self.up.frame(header.seq)
        if frame is not None and not header.flags & FLAG_BLANK:
            self.ring.push(frame)
        self.receipts.epoch = header.epoch
        self.receipts.arrived()
        if not self._settle(header.seq, now, lambda ms: DepthMap(header, payload, ms)):
            self.receipts.passed_over()

    def _settle(self, seq: int, now: float, outcome: Callable[[float], Outcome]) -> bool:
        self.receipts.received(seq, now)
        # Outcomes come in the order of seq.
        self.up.pass_former(seq)
        is_heard = self.up.settle(seq, now, outcome)
        self.on_settled()
        return is_heard
