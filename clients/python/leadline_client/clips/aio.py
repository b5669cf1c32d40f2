"""The clips of a server for asyncio: the same client, each call in a thread of its own."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar, cast

from .client import ClipPage, ClipsClient, OnProgress
from .clip import Clip
from .depth import ClipDepth

T = TypeVar("T")


class AsyncClipsClient:
    """Everything is as in `ClipsClient`. A cancelled call is aborted; functions are called on the event loop."""

    def __init__(self, url: str, *, key: str | None = None, patience: float = 300) -> None:
        ClipsClient(url)  # an address that is none is told at once
        self._url, self._key, self._patience = url, key, patience

    async def create(
        self,
        video: str | os.PathLike[str] | bytes,
        wishes: Mapping[str, Any] | None = None,
        *,
        resume_key: str | None = None,
        on_progress: OnProgress = lambda sent, total: None,
    ) -> Clip:
        loop = asyncio.get_running_loop()

        def told(sent: int, total: int) -> None:
            loop.call_soon_threadsafe(on_progress, sent, total)

        return await self._run(lambda clips: clips.create(video, wishes, resume_key=resume_key, on_progress=told))

    async def create_from_url(self, address: str, wishes: Mapping[str, Any] | None = None) -> Clip:
        return await self._run(lambda clips: clips.create_from_url(address, wishes))

    async def get(self, clip: Clip | str) -> Clip:
        return await self._run(lambda clips: clips.get(clip))

    async def list(
        self, *, states: Sequence[str] = (), cursor: str | None = None, limit: int | None = None
    ) -> ClipPage:
        return await self._run(lambda clips: clips.list(states=states, cursor=cursor, limit=limit))

    async def follow(self, clip: Clip | str) -> AsyncIterator[Clip]:
        """Leave it with `aclose`, or by reading it to its end."""
        changes: asyncio.Queue[Clip | None] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def read(clips: ClipsClient) -> None:
            try:
                for told in clips.follow(clip):
                    loop.call_soon_threadsafe(changes.put_nowait, told)
            finally:
                loop.call_soon_threadsafe(changes.put_nowait, None)

        reading = asyncio.create_task(self._run(read))
        try:
            while (told := await changes.get()) is not None:
                yield told
            await reading
        finally:
            reading.cancel()

    async def finished(self, clip: Clip | str, *, on_change: Callable[[Clip], None] = lambda clip: None) -> Clip:
        loop = asyncio.get_running_loop()

        def told(changed: Clip) -> None:
            loop.call_soon_threadsafe(on_change, changed)

        return await self._run(lambda clips: clips.finished(clip, on_change=told))

    async def cancel(self, clip: Clip | str) -> Clip:
        return await self._run(lambda clips: clips.cancel(clip))

    async def remove(self, clip: Clip | str) -> None:
        await self._run(lambda clips: clips.remove(clip))

    async def depth(self, clip: Clip | str) -> ClipDepth:
        return await self._run(lambda clips: clips.depth(clip))

    async def save(self, clip: Clip | str, result: str, path: str | os.PathLike[str]) -> Path:
        return await self._run(lambda clips: clips.save(clip, result, path))

    async def _run(self, call: Callable[[ClipsClient], T]) -> T:
        """Not on asyncio's pool, which has few threads: what follows a clip keeps its own for long."""
        clips, loop = ClipsClient(self._url, key=self._key, patience=self._patience), asyncio.get_running_loop()
        ended: asyncio.Future[T] = loop.create_future()

        def settle(result: T | None, error: BaseException | None) -> None:
            if ended.done():
                return
            if error is not None:
                ended.set_exception(error)
            else:
                ended.set_result(cast(T, result))

        def work() -> None:
            result, failure = None, None
            try:
                result = call(clips)
            except BaseException as error:
                failure = error
            with suppress(RuntimeError):  # the loop is closed: nobody waits
                loop.call_soon_threadsafe(settle, result, failure)

        threading.Thread(target=work, name="leadline-clips", daemon=True).start()
        try:
            return await ended
        finally:
            clips.abort()
