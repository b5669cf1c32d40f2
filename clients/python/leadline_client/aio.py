"""The stream for asyncio."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import AsyncIterator, Callable, Generator, Mapping, Sequence
from types import TracebackType
from typing import Any

from .address import stream_url
from .carrier import Carrier, Headers, HeadersOf, TicketOf
from .errors import LeadlineError
from .events import ConnectionEvent, Ready, Summary
from .handle import StreamHandle
from .outcome import DepthMap, Outcome
from .session import Frame, Session


class AsyncStream:
    """A live stream; `connect_async` makes one. Failures are LeadlineErrors with the server's code.

    Read `results` (or `outcomes`) while sending: the server holds depth maps back for as long as they are not read, and
    then, with delivery lossless, `send` waits.
    """

    def __init__(self, session: Session, carrier: Carrier) -> None:
        self._session = session
        self._carrier = carrier
        self._sending = asyncio.Lock()
        self._is_aborted = False

    @property
    def ready(self) -> Ready:
        """The session as the server opened it."""
        if self._session.ready is None:
            raise LeadlineError("CONNECTION_LOST", "The stream is not open yet")
        return self._session.ready

    @property
    def handle(self) -> StreamHandle:
        """What another process takes the session up with, as of now: `connect_async(url, resume=handle)`. A secret."""
        return self._session.handle

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

        `data` is an encoded image (jpeg, webp, png, avif, tiff, gif) or pixels row by row (rgb24, nv12), whose width
        and height must be told. With delivery lossless it waits until the server has room; with latest a frame that the
        network has no room for gives way to the next one, and its outcome is a drop.
        """
        frame = Frame(data, codec, width, height, timestamp_us)
        self._session.check(frame)
        async with self._sending:
            await self._carrier.until(lambda: self._session.has_room or not self._session.is_open)
            seq = self._session.send(frame, time.monotonic())
        self._carrier.notify()
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
                self._carrier.notify()
                return outcome
            if self._session.ended:
                if self._session.error is not None:
                    raise self._session.error
                return None
            await self._carrier.change()

    async def flush(self) -> None:
        """Returns when every frame sent before has its outcome here."""
        if self._session.closing:
            await self._carrier.until(lambda: self._session.ended)
            if self._session.error is not None:
                raise self._session.error
            return
        flush_id = self._session.flush()
        self._carrier.notify()
        await self._carrier.until(lambda: self._session.is_answered(flush_id))

    async def update(self, output: Mapping[str, Any]) -> None:
        """Have the depth maps of the frames that follow in another way: `output` as in the config.

        Returns when every frame sent before has its outcome here. Raises CONFIG_INVALID, which ends the stream.
        """
        update_id = self._session.update(output)
        self._carrier.notify()
        await self._carrier.until(lambda: self._session.is_answered(update_id))

    async def checkpoint(self) -> bytes:
        """What another stream goes on from: the `context` of `connect_async`.

        It stands behind the outcome of every frame sent before. Raises CONTEXT_TOO_LARGE, and WORKER_LOST and the like,
        after which it may be asked for again.
        """
        checkpoint_id = self._session.checkpoint()
        self._carrier.notify()
        while (answer := self._session.answer(checkpoint_id)) is None:
            await self._carrier.change()
        if isinstance(answer, LeadlineError):
            raise answer
        return answer

    async def reset(self) -> None:
        """Forget the past: the next frame starts a new epoch."""
        self._session.reset()
        self._carrier.notify()

    async def detach(self) -> StreamHandle:
        """Send nothing more, and leave the session to whoever takes it up with the handle, for `ready.grace_ms`.

        What was received stays readable, and frames without outcome have theirs at the stream that resumes. Flushes,
        updates and checkpoints without an answer fail. Raises REQUEST_INVALID where the server keeps no session.
        """
        self._session.detach()
        self._carrier.notify()
        await self._carrier.until(lambda: self._session.ended)
        await self._carrier.part_all()
        if self._session.error is not None:
            raise self._session.error
        return self._session.handle

    async def close(self) -> Summary:
        """Send nothing more, wait for every outcome, and end. What was not read yet stays readable."""
        self._session.close()
        self._carrier.notify()
        await self._carrier.until(lambda: self._session.ended)
        await self._carrier.part_all()
        if self._session.error is not None:
            raise self._session.error
        return self._session.summary(time.monotonic())

    async def abort(self) -> None:
        """End at once; frames without outcome fail. After `close` it does nothing."""
        self._is_aborted = True
        self._carrier.end(LeadlineError("CONNECTION_LOST", "The stream was aborted on this side"))
        await self._carrier.part_all()

    async def __aenter__(self) -> AsyncStream:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            await self.abort()
        elif not self._is_aborted:
            await self.close()


class _Connecting:
    """`await` it, or enter it with `async with`, which also closes the stream."""

    def __init__(self, stream: AsyncStream, carrier: Carrier) -> None:
        self._stream = stream
        self._carrier = carrier

    def __await__(self) -> Generator[Any, None, AsyncStream]:
        return self._open().__await__()

    async def __aenter__(self) -> AsyncStream:
        return await self._open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stream.__aexit__(kind, error, trace)

    async def _open(self) -> AsyncStream:
        await self._carrier.open()
        return self._stream


def connect_async(
    url: str | Sequence[str],
    config: Mapping[str, Any] | None = None,
    *,
    context: bytes | None = None,
    resume: StreamHandle | None = None,
    read_ahead: int | None = None,
    resumable: bool = True,
    key: str | None = None,
    ticket: TicketOf | None = None,
    headers: Headers | HeadersOf | None = None,
    on_event: Callable[[ConnectionEvent], None] | None = None,
    keep_bytes: int = 2**26,
    replay_bytes: int = 2**24,
) -> _Connecting:
    """Connect and open a session: `async with connect_async(url) as stream`.

    `url` is `ws://host:port`, or the same with http, or without either, which is http, and any path in front of
    `/v1/stream`, which is added. Of several, which must be gateways of one installation, each next one is tried when a
    connection fails or is lost. `config` is that of PROTOCOL.md, for instance
    `{"delivery": "lossless", "output": {"format": "f32"}}`. `context` is what `checkpoint` gave: the session goes on
    from there, and `ready.continued` tells how true to the first one it is. Its model, mode and window come with it.
    `resume` is what `detach` gave, or `handle`: the same session goes on here, as it was configured there, and outcomes
    of frames that were sent there and not received come first. `ready.resumed` tells how true to the past it is.
    `read_ahead` depth maps may wait here unread before the server holds back (8; with delivery latest 2). `resumable`:
    go on over another socket when one is lost, for as long as the server keeps the session. `key` (`lk_…`) is shown to
    the server, or `ticket`, a function of the attempt that fetches one. `headers` are those of the handshake beside it,
    or a function of the attempt that gives them. `on_event` is told what becomes of the connection; it must neither
    block nor raise. `keep_bytes` of frames without outcome are kept, to be sent again, and `replay_bytes` of the last
    ones with one, from which a server can make a lost latent cache anew.
    """
    urls = [stream_url(address) for address in ([url] if isinstance(url, str) else url)]
    if not urls:
        raise LeadlineError("REQUEST_INVALID", "url is an empty list; name at least one server")
    _check_resume(resume, {"config": config, "context": context, "resumable=False": None if resumable else False})
    session = Session(
        config or {},
        resume=resume,
        context=context,
        read_ahead=read_ahead,
        resumable=resumable,
        keep_bytes=keep_bytes,
        replay_bytes=replay_bytes,
    )
    carrier = Carrier(urls, session, _shown(key, headers or {}), ticket, on_event or (lambda event: None), resumable)
    return _Connecting(AsyncStream(session, carrier), carrier)


def _check_resume(resume: StreamHandle | None, beside: Mapping[str, object]) -> None:
    if resume is None:
        return
    if not isinstance(resume, StreamHandle):
        detail = f"resume is a {type(resume).__name__}; give what detach gave, or StreamHandle.from_dict of that"
        raise LeadlineError("REQUEST_INVALID", detail)
    given = [name for name, value in beside.items() if value is not None]
    if given:
        detail = f"{' and '.join(given)} cannot be given with resume: the session goes on as it is; leave it out"
        raise LeadlineError("REQUEST_INVALID", detail)


def _shown(key: str | None, headers: Headers | HeadersOf) -> Headers | HeadersOf:
    """The headers with a key among them."""
    if key is None:
        return headers
    if not callable(headers):
        return {**headers, "authorization": f"Bearer {key}"}

    async def of(attempt: int) -> Headers:
        given = headers(attempt)
        others = await given if inspect.isawaitable(given) else given
        return {**others, "authorization": f"Bearer {key}"}

    return of
