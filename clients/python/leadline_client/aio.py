"""The stream for asyncio: one session, carried by one socket after the other."""

from __future__ import annotations

import asyncio
import inspect
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping, Sequence
from types import TracebackType
from typing import Any

from .address import stream_url
from .errors import LeadlineError
from .events import ConnectionEvent, Failed, GoAway, Lost, Ready, Resumed, Summary
from .link import ATTEMPT_SECONDS, Link
from .outcome import DepthMap, Outcome
from .protocol import parse_server_message
from .roaming import Move, Roaming, next_attempt
from .session import Frame, Session

Headers = Mapping[str, str]
HeadersOf = Callable[[int], Headers | Awaitable[Headers]]


class AsyncStream:
    """A live stream; `connect_async` makes one. Failures are LeadlineErrors with the server's code.

    Read `results` (or `outcomes`) while sending: the server holds depth maps back for as long as they are not read, and
    then, with delivery lossless, `send` waits.
    """

    def __init__(
        self,
        urls: Sequence[str],
        session: Session,
        headers: Headers | HeadersOf,
        on_event: Callable[[ConnectionEvent], None],
        resumable: bool,
    ) -> None:
        self._urls = urls
        self._session = session
        self._headers = headers
        self._on_event = on_event
        self._resumable = resumable
        self._roaming = Roaming()
        self._num_dialled = 0
        self._link: Link | None = None
        self._carriers: list[asyncio.Task[None]] = []
        self._move: asyncio.Task[None] | None = None
        self._partings: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._sending = asyncio.Lock()
        self._is_aborted = False

    @property
    def ready(self) -> Ready:
        """The session as the server opened it."""
        if self._session.ready is None:
            raise LeadlineError("CONNECTION_LOST", "The stream is not open yet")
        return self._session.ready

    @property
    def unsettled(self) -> int:
        """Frames sent whose outcome is not here yet. A camera may skip a frame when this is high."""
        return self._session.unsettled

    async def send(
        self,
        data: bytes | bytearray | memoryview,
        codec: str,
        *,
        width: int = 0,
        height: int = 0,
        timestamp_us: int | None = None,
    ) -> int:
        """Send a frame and get its seq.

        `data` is an encoded image (jpeg, webp, png, avif, tiff, gif) or pixels row by row (rgb24, nv12), whose width and
        height must be told. With delivery lossless it waits until the server has room; with latest a frame that the
        network has no room for gives way to the next one, and its outcome is a drop.
        """
        frame = Frame(data, codec, width, height, timestamp_us)
        self._session.check(frame)
        async with self._sending:
            await self._until(lambda: self._session.has_room or self._session.ended)
            seq = self._session.send(frame, time.monotonic())
        self._notify()
        return seq

    @property
    async def results(self) -> AsyncIterator[DepthMap]:
        """Depth maps in order of seq, drops and failed frames left out. Shares its queue with `outcomes`: read one."""
        async for outcome in self.outcomes:
            if isinstance(outcome, DepthMap):
                yield outcome

    @property
    async def outcomes(self) -> AsyncIterator[Outcome]:
        """What became of every frame, in order of seq. What failed the stream is raised once the rest is read."""
        while True:
            outcome = await self.next_outcome()
            if outcome is None:
                return
            yield outcome

    async def next_outcome(self) -> Outcome | None:
        """The next outcome; None at the end."""
        while True:
            outcome = self._session.take()
            if outcome is not None:
                self._notify()
                return outcome
            if self._session.ended:
                if self._session.error is not None:
                    raise self._session.error
                return None
            await self._change()

    async def flush(self) -> None:
        """Returns when every frame sent before has its outcome here."""
        if self._session.closing or self._session.ended:
            await self._until(lambda: self._session.ended)
        else:
            flush_id = self._session.flush()
            self._notify()
            await self._until(lambda: flush_id not in self._session.flushes or self._session.ended)
        if self._session.error is not None:
            raise self._session.error

    async def reset(self) -> None:
        """Forget the past: the next frame starts a new epoch."""
        self._session.reset()
        self._notify()

    async def close(self) -> Summary:
        """Send nothing more, wait for every outcome, and end. What was not read yet stays readable."""
        self._session.close()
        self._notify()
        await self._until(lambda: self._session.ended)
        await self._part_all()
        if self._session.error is not None:
            raise self._session.error
        return self._session.summary(time.monotonic())

    async def abort(self) -> None:
        """End at once; frames without outcome fail. After `close` it does nothing."""
        self._is_aborted = True
        self._end(LeadlineError("CONNECTION_LOST", "The stream was aborted on this side"))
        await self._part_all()

    async def __aenter__(self) -> AsyncStream:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            await self.abort()
        elif not self._is_aborted:
            await self.close()

    async def open(self) -> None:
        """Connect and open the session; `connect_async` has done so."""
        try:
            link, ready = await self._greet(0)
        except BaseException:
            self._session.end(LeadlineError("CONNECTION_LOST", "The stream could not be opened"), time.monotonic())
            raise
        self._session.opened(ready, time.monotonic())
        self._roaming.grace = self.ready.grace_ms / 1000
        self._carry(link)

    # Sockets.

    async def _greet(self, attempt: int) -> tuple[Link, dict[str, Any]]:
        """Connect, ask for the session, and wait until it is there. Raises what the server refuses it with."""
        url = self._urls[self._num_dialled % len(self._urls)]
        self._num_dialled += 1
        headers = self._headers(attempt) if callable(self._headers) else self._headers
        if inspect.isawaitable(headers):
            headers = await headers
        link = await Link.open(url, headers, watched=self._resumable)
        try:
            await link.send(self._session.hello())
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
            self._part(self._link.end() if self._session.ended else self._link.leave())
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
                    if isinstance(event, GoAway):
                        self._start(self._roaming.leaving(event.time_left_ms / 1000, time.monotonic(), random.random()))
                self._notify()
            self._end(None)
        except LeadlineError as error:
            self._lose(error)
        except Exception as error:  # of `on_event`, or a fault of ours: nobody else would hear of it
            self._fail(LeadlineError("INTERNAL", f"{type(error).__name__}: {error}"))

    async def _write(self, link: Link) -> None:
        try:
            while True:
                now = time.monotonic()
                self._session.tick(now)
                message = self._session.next_message()
                if message is not None:
                    await link.send(message)
                    continue
                due = self._session.due
                await self._change(None if due is None else max(0.0, due - now))
        except LeadlineError:
            pass  # the reader hears why

    def _lose(self, error: LeadlineError) -> None:
        now = time.monotonic()
        self._put_down()
        if not self._roaming.outlives(error):
            return self._fail(error)
        self._roaming.lost_at = now
        self._session.lost()
        self._on_event(Lost(error, self.ready.grace_ms))
        if not self._roaming.is_moving:
            move = self._roaming.lost(error, now, random.random())
            if move is None:
                return self._fail(error)
            self._start(move)
        self._notify()

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
        now = time.monotonic()
        resent, replayed = self._session.opened(ready, now)
        self._carry(link)
        self._roaming.grace = self.ready.grace_ms / 1000
        ms = self._roaming.found(now) * 1000
        continuity = ready.get("resumed", {}).get("continuity", "new")
        self._on_event(Resumed(continuity, self.ready.epoch, attempt, ms, resent, replayed))
        self._notify()

    def _fail(self, error: LeadlineError) -> None:
        self._end(error)
        if self._session.error is not None:
            self._on_event(Failed(self._session.error))

    def _end(self, error: LeadlineError | None) -> None:
        self._session.end(error, time.monotonic())
        self._put_down()
        if self._move is not None and self._move is not asyncio.current_task():
            self._move.cancel()
        self._move = None
        self._notify()

    def _part(self, closing: Awaitable[None]) -> None:
        """Say goodbye beside the stream's work; kept, so that it is neither collected nor left behind."""
        task = asyncio.ensure_future(closing)
        self._partings.add(task)
        task.add_done_callback(self._partings.discard)

    async def _part_all(self) -> None:
        await asyncio.gather(*self._partings, return_exceptions=True)

    # Waiting.

    def _notify(self) -> None:
        """Wake whoever waits for something to change; each looks for itself."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _change(self, seconds: float | None = None) -> None:
        try:
            await asyncio.wait_for(self._changed.wait(), seconds)
        except asyncio.TimeoutError:
            pass

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            await self._change()


class _Connecting:
    """`await` it, or enter it with `async with`, which also closes the stream."""

    def __init__(self, stream: AsyncStream) -> None:
        self._stream = stream

    def __await__(self) -> Generator[Any, None, AsyncStream]:
        return self._open().__await__()

    async def __aenter__(self) -> AsyncStream:
        return await self._open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stream.__aexit__(kind, error, trace)

    async def _open(self) -> AsyncStream:
        await self._stream.open()
        return self._stream


def connect_async(
    url: str | Sequence[str],
    config: Mapping[str, Any] | None = None,
    *,
    read_ahead: int | None = None,
    resumable: bool = True,
    headers: Headers | HeadersOf | None = None,
    on_event: Callable[[ConnectionEvent], None] | None = None,
    keep_bytes: int = 2**26,
    replay_bytes: int = 2**24,
) -> _Connecting:
    """Connect and open a session: `async with connect_async(url) as stream`.

    `url` is `ws://host:port`, or the same with http, and any path in front of `/v1/stream`, which is added. Of several,
    which must be gateways of one installation, each next one is tried when a connection fails or is lost. `config` is
    that of PROTOCOL.md, for instance `{"delivery": "lossless", "output": {"format": "f32"}}`. `read_ahead` depth maps
    may wait here unread before the server holds back (8; with delivery latest 2). `resumable`: go on over another socket
    when one is lost, for as long as the server keeps the session. `headers` are those of the handshake, or a function of
    the attempt that gives them. `on_event` is told what becomes of the connection; it must not block. `keep_bytes` of
    frames without outcome are kept, to be sent again, and `replay_bytes` of the last ones with one.
    """
    urls = [stream_url(address) for address in ([url] if isinstance(url, str) else url)]
    if not urls:
        raise LeadlineError("REQUEST_INVALID", "url is an empty list; name at least one server")
    session = Session(
        config or {}, read_ahead=read_ahead, resumable=resumable, keep_bytes=keep_bytes, replay_bytes=replay_bytes
    )
    return _Connecting(AsyncStream(urls, session, headers or {}, on_event or (lambda event: None), resumable))


def _as_failure(error: Exception) -> LeadlineError:
    """Whoever brings headers may fail as the network does."""
    if isinstance(error, LeadlineError):
        return error
    return LeadlineError("CONNECTION_LOST", f"The server could not be reached again: {type(error).__name__}: {error}")
