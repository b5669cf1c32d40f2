"""Carries a session by asyncio, over one socket after the other."""

from __future__ import annotations

import asyncio
import inspect
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from .checkpoints import context_parts
from .errors import LeadlineError
from .events import ConnectionEvent, Failed, GoAway, Lost, Ready, Resumed
from .link import ATTEMPT_SECONDS, Link
from .protocol import parse_server_message
from .roaming import Move, Roaming, next_attempt
from .session import Session

Headers = Mapping[str, str]
HeadersOf = Callable[[int], Headers | Awaitable[Headers]]
TicketOf = Callable[[int], str | Awaitable[str]]


class Carrier:
    def __init__(
        self,
        urls: Sequence[str],
        session: Session,
        headers: Headers | HeadersOf,
        ticket: TicketOf | None,
        on_event: Callable[[ConnectionEvent], None],
        resumable: bool,
    ) -> None:
        self._urls = urls
        self._session = session
        self._headers = headers
        self._ticket = ticket
        self._on_event = on_event
        self._resumable = resumable
        self._roaming = Roaming()
        self._num_dialled = 0
        self._link: Link | None = None
        self._carriers: list[asyncio.Task[None]] = []
        self._move: asyncio.Task[None] | None = None
        self._partings: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()

    async def open(self) -> None:
        """Connect and open the session."""
        try:
            link, ready = await self._greet(0)
        except BaseException:
            self._session.end(LeadlineError("CONNECTION_LOST", "The stream could not be opened"), time.monotonic())
            raise
        self._session.opened(ready, time.monotonic())
        self._roaming.grace = self._ready.grace_ms / 1000
        self._carry(link)

    def end(self, error: LeadlineError | None) -> None:
        """Settle what is open, and let go of every socket; `part_all` waits until they are closed."""
        self._session.end(error, time.monotonic())
        self._put_down()
        if self._move is not None and self._move is not asyncio.current_task():
            self._move.cancel()
        self._move = None
        self.notify()

    async def part_all(self) -> None:
        await asyncio.gather(*self._partings, return_exceptions=True)

    def notify(self) -> None:
        """Wake whoever waits for something to change; each looks for itself."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def change(self, seconds: float | None = None) -> None:
        """Wait until something changed, or for so long."""
        if seconds is None:
            # Not through wait_for, which before Python 3.12 loses a cancellation that comes with a change.
            await self._changed.wait()
            return
        try:
            await asyncio.wait_for(self._changed.wait(), seconds)
        except asyncio.TimeoutError:
            pass

    async def until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            await self.change()

    @property
    def _ready(self) -> Ready:
        assert self._session.ready is not None, "nothing is carried before ready"
        return self._session.ready

    async def _greet(self, attempt: int) -> tuple[Link, dict[str, Any]]:
        """Connect, ask for the session, and wait until it is there. Raises what the server refuses it with."""
        url = self._urls[self._num_dialled % len(self._urls)]
        self._num_dialled += 1
        headers = self._headers(attempt) if callable(self._headers) else self._headers
        if inspect.isawaitable(headers):
            headers = await headers
        ticket = None if self._ticket is None else self._ticket(attempt)
        if inspect.isawaitable(ticket):
            ticket = await ticket
        link = await Link.open(url, headers, ticket, watched=self._resumable)
        try:
            await link.send(self._session.hello())
            for part in context_parts(self._session.context):
                await link.send(part)
            while True:
                data = await link.receive()
                message = parse_server_message(data) if isinstance(data, str) else None
                if message is not None and message["type"] == "ready":
                    return link, message
                if message is not None and message["type"] == "error":
                    self._session.receive(data, time.monotonic())
        except BaseException:
            self._part(link.leave())
            raise

    def _carry(self, link: Link) -> None:
        """From now on the stream is over this socket."""
        self._put_down()
        self._link = link
        self._carriers = [asyncio.create_task(self._read(link)), asyncio.create_task(self._write(link))]

    def _put_down(self) -> None:
        for task in self._carriers:
            if task is not asyncio.current_task():
                task.cancel()
        if self._link is not None:
            self._part(self._goodbye(self._link))
        self._link, self._carriers = None, []

    async def _read(self, link: Link) -> None:
        try:
            while not self._session.ended:
                data = await link.receive()
                self._roaming.heard()
                self._session.receive(data, time.monotonic())
                while self._session.told:
                    event = self._session.told.popleft()
                    self._on_event(event)
                    if isinstance(event, GoAway) and not self._session.leaving:
                        self._start(self._roaming.leaving(event.time_left_ms / 1000, time.monotonic(), random.random()))
                self.notify()
            self.end(None)
        except LeadlineError as error:
            self._lose(error)
        except Exception as error:  # of `on_event`, or a fault of ours: nobody else would hear of it
            self._fail(LeadlineError("INTERNAL", f"{type(error).__name__}: {error}"))

    async def _write(self, link: Link) -> None:
        try:
            # Asked each time: a writer that lost its cancellation would take what the next socket is to send.
            while self._link is link:
                now = time.monotonic()
                self._session.tick(now)
                message = self._session.next_message()
                if message is not None:
                    await link.send(message)
                    continue
                due = self._session.due
                await self.change(None if due is None else max(0.0, due - now))
        except LeadlineError:
            pass  # the reader hears why

    def _lose(self, error: LeadlineError) -> None:
        now = time.monotonic()
        self._put_down()
        if not self._roaming.outlives(error):
            return self._fail(error)
        self._roaming.lost_at = now
        self._session.lost()
        self._on_event(Lost(error, self._ready.grace_ms))
        if not self._roaming.is_moving:
            move = self._roaming.lost(error, now, random.random())
            if move is None:
                return self._fail(error)
            self._start(move)
        self.notify()

    def _start(self, move: Move | None) -> None:
        if move is not None:
            self._roaming.is_moving = True
            self._move = asyncio.create_task(self._reconnect(move))

    async def _reconnect(self, move: Move) -> None:
        """Connect until a server takes the session up again, or none could be reached in time."""
        delay, attempt = move.delay, 0
        while True:
            attempt += 1
            await asyncio.sleep(delay)
            try:
                link, ready = await asyncio.wait_for(self._greet(attempt), ATTEMPT_SECONDS)
                break
            except Exception as error:
                failure = _as_failure(error)
            now = time.monotonic()
            wait = next_attempt(failure, attempt, now, move.until, random.random())
            if wait is None:
                self._roaming.is_moving = False
                # As long as its socket works a stream goes on, wherever it might have gone.
                if self._link is None:
                    self._fail(failure)
                return
            delay = wait
        if self._session.ended:
            return self._part(self._goodbye(link))
        now = time.monotonic()
        resent, replayed = self._session.opened(ready, now)
        self._carry(link)
        self._roaming.grace = self._ready.grace_ms / 1000
        ms = self._roaming.found(now) * 1000
        continuity = ready.get("resumed", {}).get("continuity", "new")
        self._on_event(Resumed(continuity, self._ready.epoch, attempt, ms, resent, replayed))
        self.notify()

    def _fail(self, error: LeadlineError) -> None:
        self.end(error)
        if self._session.error is not None:
            self._on_event(Failed(self._session.error))

    def _goodbye(self, link: Link) -> Awaitable[None]:
        """What is over is freed; what was detached is another's."""
        return link.end() if self._session.ended and not self._session.left else link.leave()

    def _part(self, closing: Awaitable[None]) -> None:
        """Say goodbye beside the stream's work; kept, so that it is neither collected nor left behind."""
        task = asyncio.ensure_future(closing)
        self._partings.add(task)
        task.add_done_callback(self._partings.discard)


def _as_failure(error: Exception) -> LeadlineError:
    """Whoever brings headers or tickets may fail as the network does."""
    if isinstance(error, LeadlineError):
        return error
    return LeadlineError("CONNECTION_LOST", f"The server could not be reached again: {type(error).__name__}: {error}")
