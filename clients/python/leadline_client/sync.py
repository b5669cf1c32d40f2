"""The stream without asyncio: the same one, on an event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, TypeVar

from .aio import AsyncStream, connect_async
from .carrier import Headers, HeadersOf, TicketOf
from .errors import LeadlineError
from .events import ConnectionEvent, Ready, Summary
from .handle import StreamHandle
from .outcome import DepthMap, Outcome

T = TypeVar("T")


class Stream:
    """A live stream; `connect` makes one. Its methods may be called from any thread: send in one, read in another."""

    def __init__(self, connecting: Callable[[], Coroutine[Any, Any, AsyncStream]]) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="leadline", daemon=True)
        self._thread.start()
        self._stopping = threading.Lock()
        try:
            self._stream = self._run(connecting())
        except BaseException:
            self._stop()
            raise

    @property
    def ready(self) -> Ready:
        """The session as the server opened it."""
        return self._stream.ready

    @property
    def handle(self) -> StreamHandle:
        """What another process takes the session up with, as of now: `connect(url, resume=handle)`. A secret."""
        return self._stream.handle

    @property
    def unsettled(self) -> int:
        """Frames sent whose outcome is not here yet. A camera may skip a frame when this is high."""
        return self._stream.unsettled

    def send(
        self,
        data: bytes | bytearray | memoryview,
        codec: str,
        *,
        width: int = 0,
        height: int = 0,
        timestamp_us: int | None = None,
    ) -> int:
        """Send a frame and get its seq; see `AsyncStream.send`.

        With delivery lossless it waits until the server has room, which it has only while another thread reads.
        """
        return self._run(self._stream.send(data, codec, width=width, height=height, timestamp_us=timestamp_us))

    @property
    def results(self) -> Iterator[DepthMap]:
        """Depth maps in order of seq, drops and failed frames left out. Shares its queue with `outcomes`: read one."""
        return (outcome for outcome in self.outcomes if isinstance(outcome, DepthMap))

    @property
    def outcomes(self) -> Iterator[Outcome]:
        """What became of every frame, in order of seq. What failed the stream is raised once the rest is read."""
        while (outcome := self.next_outcome()) is not None:
            yield outcome

    def next_outcome(self) -> Outcome | None:
        """Wait for the next outcome; None at the end."""
        return self._run(self._stream.next_outcome())

    def flush(self) -> None:
        """Returns when every frame sent before has its outcome here."""
        self._run(self._stream.flush())

    def update(self, output: Mapping[str, Any]) -> None:
        """Have the depth maps of the frames that follow in another way; see `AsyncStream.update`."""
        self._run(self._stream.update(output))

    def checkpoint(self) -> bytes:
        """What another stream goes on from: the `context` of `connect`; see `AsyncStream.checkpoint`."""
        return self._run(self._stream.checkpoint())

    def reset(self) -> None:
        """Forget the past: the next frame starts a new epoch."""
        self._run(self._stream.reset())

    def detach(self) -> StreamHandle:
        """Send nothing more, and leave the session to whoever has the handle; see `AsyncStream.detach`."""
        return self._run(self._stream.detach())

    def close(self) -> Summary:
        """Send nothing more, wait for every outcome, and end. What was not read yet stays readable."""
        return self._run(self._stream.close())

    def abort(self) -> None:
        """End at once; frames without outcome fail. After `close` it does nothing."""
        self._run(self._stream.abort())

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._run(self._stream.__aexit__(kind, error, trace))
        finally:
            self._stop()

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        if self._loop.is_closed():
            coroutine.close()
            raise LeadlineError("REQUEST_INVALID", "The stream was left; connect anew")
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def _stop(self) -> None:
        with self._stopping:
            if self._loop.is_closed():
                return
            asyncio.run_coroutine_threadsafe(_cancel_others(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()


async def _cancel_others() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def connect(
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
) -> Stream:
    """Connect and open a session: `with connect(url) as stream`. Everything is as in `connect_async`.

    `on_event` is called in a thread of the stream's.
    """

    async def connecting() -> AsyncStream:
        return await connect_async(
            url,
            config,
            context=context,
            resume=resume,
            read_ahead=read_ahead,
            resumable=resumable,
            key=key,
            ticket=ticket,
            headers=headers,
            on_event=on_event,
            keep_bytes=keep_bytes,
            replay_bytes=replay_bytes,
        )

    return Stream(connecting)
