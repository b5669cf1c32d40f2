"""Contexts: what a session goes on from, over the wire in parts."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .errors import LeadlineError, server_failure
from .protocol import KIND_CONTEXT, Header, encode_message

_PART_BYTES = 2**18


def context_parts(context: bytes) -> Iterator[bytes]:
    """The messages that bring a context behind a `config` that announces it."""
    for offset in range(0, len(context), _PART_BYTES):
        header = Header(KIND_CONTEXT, seq=offset, timestamp_us=0, codec="raw")
        yield encode_message(header, memoryview(context)[offset : offset + _PART_BYTES])


class Checkpoints:
    """Contexts that the application asked for: one at a time, since a server answers no more."""

    def __init__(self, ask: Callable[[str], None], answered: Callable[[str], None], *, prefix: str) -> None:
        self._ask = ask
        self._answered = answered
        self._waiting: deque[str] = deque()
        self._prefix = prefix
        self._count = 0
        self._announced: int | None = None
        self._received = bytearray()
        self.answers: dict[str, bytes | LeadlineError] = {}
        """By id, until somebody takes them."""

    @property
    def is_waiting(self) -> bool:
        return bool(self._waiting)

    def save(self) -> str:
        """Ask for a context; `answers` has it under this id."""
        checkpoint_id = f"{self._prefix}context-{self._count}"
        self._count += 1
        self._waiting.append(checkpoint_id)
        if len(self._waiting) == 1:
            self._ask(checkpoint_id)
        return checkpoint_id

    def told(self, message: Mapping[str, Any]) -> None:
        """The server begins to answer, or says why not."""
        if not self._waiting or message["id"] != self._waiting[0]:
            return
        failure = message.get("failure")
        self.lose()
        if failure is not None:
            self._finish(server_failure(failure["code"], failure["detail"], None))
        else:
            self._announced = message.get("bytes", 0)

    def part(self, header: Header, payload: memoryview) -> None:
        """Raises CONTEXT_INVALID for a part that is out of place."""
        if self._announced is None:
            return
        if header.seq != len(self._received) or header.seq + payload.nbytes > self._announced:
            raise LeadlineError(
                "CONTEXT_INVALID",
                f"A part of {payload.nbytes} bytes says that it is at {header.seq}; "
                f"{len(self._received)} of {self._announced} bytes are here",
            )
        self._received += payload
        if len(self._received) == self._announced:
            self._finish(bytes(self._received))

    def lose(self) -> None:
        """The socket is gone: the next one begins the answer anew."""
        self._announced = None
        self._received = bytearray()

    def end(self, error: LeadlineError) -> None:
        while self._waiting:
            self.answers[self._waiting.popleft()] = error

    def _finish(self, answer: bytes | LeadlineError) -> None:
        done = self._waiting.popleft()
        self.lose()
        self.answers[done] = answer
        self._answered(done)
        if self._waiting:
            self._ask(self._waiting[0])
