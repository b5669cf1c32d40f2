"""All that goes to the server, in order, over one socket after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import LeadlineError
from .flight import Flight
from .outcome import Drop, Outcome
from .protocol import encode_control

# With delivery latest, a server that gives no outcomes gets no more frames than these: two seconds of a camera.
_MAX_UNSETTLED_LATEST = 64


@dataclass(frozen=True)
class _Command:
    message: Mapping[str, Any]
    before: int
    """It was said before the frame with this seq."""


class Upstream:
    """Frames and commands. `tell` hears what became of frames, in order of seq."""

    def __init__(self, *, lossless: bool, keep_bytes: int, tell: Callable[[list[Outcome]], None]) -> None:
        self._lossless = lossless
        self._keep_bytes = keep_bytes
        self._tell = tell
        self._flight = Flight()
        self._linked = False
        self._max_in_flight = 0
        self._direct: deque[str | bytes] = deque()  # goes before what is below: ack, credit, history
        self._ordered: deque[int | _Command] = deque()  # frames by seq, and commands in their place among them
        self._waiting: int | None = None  # with latest, the newest frame, while the socket has not taken it
        self._commands: list[_Command] = []  # without an answer so far
        # The last update that was answered: a server whose worker was lost may not know of it.
        self._in_force: _Command | None = None
        self._pace_seconds = 0.0
        self._paced_at = float("-inf")
        self.next_seq = 0

    @property
    def unsettled(self) -> int:
        return self._flight.unsettled

    @property
    def has_room(self) -> bool:
        """Whether a frame may be sent now. With latest always: one that has to wait gives way to the next."""
        if not self._lossless:
            return True
        return self._flight.unsettled < self._max_in_flight and self._flight.bytes <= self._keep_bytes

    def open(self, max_in_flight: int) -> None:
        """A socket is there, over which nothing was said."""
        self._forget()
        self._linked = True
        self._max_in_flight = max_in_flight
        self.pace(None)

    def lose(self) -> None:
        """The socket is gone. What is taken meanwhile waits."""
        self._forget()
        self._linked = False

    def inherit(self, former: range, now: float) -> None:
        """A former process sent these: their outcomes come before all others, and the frames are not here."""
        self._flight.inherit(former, now)

    def pass_former(self, seq: int) -> None:
        """Of a former process's frames none below `seq` will have an outcome any more."""
        self._tell(self._flight.pass_former(seq))

    def say(self, message: Mapping[str, Any] | bytes) -> None:
        """Nobody hears it while there is no socket."""
        if self._linked:
            self._direct.append(message if isinstance(message, bytes) else encode_control(message))

    def send(self, message: bytes, now: float) -> int:
        seq = self.next_seq
        self.next_seq += 1
        self._flight.depart(seq, message, now)
        if now - self._paced_at < self._pace_seconds:
            self.settle(seq, now, lambda ms: Drop(seq, "superseded", ms))
            return seq
        self._paced_at = now
        if not self._lossless:
            if self._waiting is not None:
                self._supersede(self._waiting, now)
            self._waiting = seq
        if self._linked:
            self._ordered.append(seq)
        return seq

    def pace(self, fps: float | None) -> None:
        """Send no more than so many frames a second, and leave the others out; None: any."""
        self._pace_seconds = 0.0 if fps is None else 1 / fps

    def command(self, message: Mapping[str, Any]) -> None:
        """It keeps its place: a frame that waits goes before it."""
        command = _Command(message, self.next_seq)
        self._commands.append(command)
        if self._linked:
            self._ordered.append(command)
            self._waiting = None

    def was_answered(self, kind: str, command_id: str) -> None:
        """A flush, an update or a checkpoint."""
        for command in list(self._commands):
            if (command.message["type"], command.message.get("id")) == (kind, command_id):
                self._commands.remove(command)
                if kind == "update":
                    self._in_force = _Command(command.message, 0)

    def was_reset(self) -> None:
        """Resets are answered in the order they were said."""
        first = next((c for c in self._commands if c.message["type"] == "reset"), None)
        if first is not None:
            self._commands.remove(first)

    def next_message(self) -> str | bytes | None:
        """What the socket is to send next; to be asked for only when it has taken what was before."""
        if self._direct:
            return self._direct.popleft()
        while self._ordered:
            item = self._ordered[0]
            if item == self._waiting and not self._has_room_latest:
                return None
            self._ordered.popleft()
            if isinstance(item, _Command):
                return encode_control(item.message)
            if item == self._waiting:
                self._waiting = None
            message = self._flight.message(item)
            if message is not None:
                return message
        return None

    def send_again(self, after: int, now: float) -> int:
        """Send what a server lacks that has every frame up to `after`. With latest that is the newest frame."""
        self._tell(self._flight.lose_former(after))
        frames = self._flight.above(after)
        if not self._lossless:
            for seq in frames[:-1]:
                self._supersede(seq, now)
            frames = frames[-1:]
            self._waiting = frames[0] if frames else None
        # A reset before a frame that the server has was heard; anything else may be said twice without harm.
        unheard = deque(c for c in self._commands if c.message["type"] != "reset" or c.before > after)
        if self._in_force is not None:
            unheard.appendleft(self._in_force)
        for seq in frames:
            while unheard and unheard[0].before <= seq:
                self._ordered.append(unheard.popleft())
            self._ordered.append(seq)
        if unheard:
            self._ordered.extend(unheard)
            self._waiting = None
        return len(frames)

    def frame(self, seq: int) -> bytes | None:
        """As it was sent, while it has no outcome."""
        return self._flight.message(seq)

    def settle(self, seq: int, now: float, outcome: Callable[[float], Outcome]) -> bool:
        """False for a frame that is not on its way: of such an outcome nobody hears."""
        told = self._flight.settle(seq, now, outcome)
        self._tell(told or [])
        return told is not None

    def end(self, error: LeadlineError, now: float) -> None:
        self.lose()
        self._tell(self._flight.end(error, now))

    def leave(self) -> None:
        """Whatever has no outcome has it elsewhere."""
        self.lose()
        self._tell(self._flight.leave())

    @property
    def _has_room_latest(self) -> bool:
        return self._flight.unsettled <= _MAX_UNSETTLED_LATEST and self._flight.bytes <= self._keep_bytes

    def _supersede(self, seq: int, now: float) -> None:
        if self._ordered and self._ordered[-1] == seq:
            self._ordered.pop()
        self.settle(seq, now, lambda ms: Drop(seq, "superseded", ms))

    def _forget(self) -> None:
        self._direct.clear()
        self._ordered.clear()
