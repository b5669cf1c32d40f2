"""The clips of a server: whole videos, sent, followed, fetched."""

from __future__ import annotations

import json
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import quote, urlencode

from ..address import server_url
from ..errors import LeadlineError
from ..roaming import backoff
from .clip import Clip, clip_of
from .depth import ClipDepth, read_depth
from .events import events_of
from .exchange import Answer, Exchange
from .upload import Upload, Video

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True)
class ClipPage:
    clips: Sequence[Clip]
    """Newest first."""
    cursor: str | None
    """Of the next page; None: this is the last."""


class ClipsClient:
    """Failures are LeadlineErrors with the server's code, and CONNECTION_LOST when there is nobody.

    A clip may be given by its id. Calls may be made from several threads, each with a client of its own.
    """

    def __init__(self, url: str, *, key: str | None = None, patience: float = 300) -> None:
        """`url` is that of the server, as of a stream. `key` (`lk_…`) has the scope `clips`.

        `patience` is for how many seconds nothing may go through before an upload or `follow` is given up. Raises
        REQUEST_INVALID.
        """
        self._exchange = Exchange(server_url(url), key, patience)

    def create(
        self,
        video: str | os.PathLike[str] | bytes,
        wishes: Mapping[str, Any] | None = None,
        *,
        resume_key: str | None = None,
        on_progress: OnProgress = lambda sent, total: None,
    ) -> Clip:
        """Send a video, a file or its bytes; returns once the server has the clip, which then waits for its turn.

        It goes in parts, and goes on where it was after the connection broke, or the server was started anew. `wishes`
        are those of openapi.yaml, for instance `{"results": ["npz"], "mode": "offline"}`. `resume_key` names this file
        and what is wanted of it: an upload that was not sent to its end, by this program or one before, is gone on with
        for a day. `on_progress` hears how many bytes the server has, and of how many.
        """
        with _opened(video) as file:
            source = Video(file, file.seek(0, os.SEEK_END))
            if source.size == 0:
                raise LeadlineError("CLIP_INVALID", "The clip is empty; send a video")
            url = self._url(f"v1/uploads?{_query(wishes or {})}")
            return self._get(Upload(self._exchange, url, source, resume_key).send(on_progress))

    def create_from_url(self, address: str, wishes: Mapping[str, Any] | None = None) -> Clip:
        """Let the server fetch a video over http or https. Raises URL_FORBIDDEN, DOWNLOAD_FAILED."""
        body = json.dumps({"url": address}).encode()
        url = self._url(f"v1/clips?{_query(wishes or {})}")
        with self._exchange.asking("POST", url, {"content-type": "application/json"}, body) as answer:
            return _clip_in(answer)

    def get(self, clip: Clip | str) -> Clip:
        """As it stands now. Raises CLIP_UNKNOWN, as all that names a clip."""
        return self._get(self._at(clip))

    def list(self, *, states: Sequence[str] = (), cursor: str | None = None, limit: int | None = None) -> ClipPage:
        asked = {"state": ",".join(states) or None, "cursor": cursor, "limit": limit}
        with self._exchange.asking("GET", self._url(f"v1/clips?{_query(asked)}")) as answer:
            page = json.loads(answer.body())
            return ClipPage([clip_of(document, answer.url) for document in page["clips"]], page["cursor"])

    def follow(self, clip: Clip | str) -> Iterator[Clip]:
        """The clip whenever it has changed, to its end, also when the connection breaks in between."""
        url, heard, failures, heard_at = f"{self._at(clip)}/events", "", 0, time.monotonic()
        while True:
            try:
                headers = {"last-event-id": heard} if heard else {}
                with self._exchange.asking("GET", url, headers) as answer:
                    if answer.status == 204:  # nothing more to tell
                        return
                    for event in events_of(answer.lines()):
                        heard, failures, heard_at = event.id, 0, time.monotonic()
                        told = clip_of(json.loads(event.data), answer.url)
                        yield told
                        if told.has_ended:
                            return
            except LeadlineError as error:
                if not error.temporary or time.monotonic() - heard_at > self._exchange.patience:
                    raise
            self._exchange.wait(backoff(failures, random.random()))
            failures += 1

    def finished(self, clip: Clip | str, *, on_change: Callable[[Clip], None] = lambda clip: None) -> Clip:
        """The clip once it is done. Raises what it failed with, and CLIP_FAILED when it was cancelled."""
        for told in self.follow(clip):
            on_change(told)
            if told.state == "done":
                return told
            if told.failure is not None:
                raise told.failure
            if told.state == "cancelled":
                raise LeadlineError("CLIP_FAILED", f"Clip {told.id} was cancelled")
        return self.get(clip)

    def cancel(self, clip: Clip | str) -> Clip:
        """Stop it; that it was there is kept. One that has ended stays as it is."""
        with self._exchange.asking("POST", f"{self._at(clip)}/cancel") as answer:
            return _clip_in(answer)

    def remove(self, clip: Clip | str) -> None:
        """Stop it if it runs, and delete it with its results."""
        with self._exchange.asking("DELETE", self._at(clip)):
            pass

    def depth(self, clip: Clip | str) -> ClipDepth:
        """Its result `npz` as arrays, whole in memory.

        Raises CLIP_NOT_READY, CLIP_FAILED, and CLIP_UNKNOWN where it was not asked for.
        """
        with tempfile.TemporaryFile() as file:
            self._fetch(clip, "npz", cast(IO[bytes], file))
            file.seek(0)
            return read_depth(cast(IO[bytes], file))

    def save(self, clip: Clip | str, result: str, path: str | os.PathLike[str]) -> Path:
        """A result as a file, which is there once it is whole. Raises as `depth` does, and OSError."""
        target = Path(path)
        part = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            with part.open("xb") as file:
                self._fetch(clip, result, file)
            return part.replace(target)
        finally:
            with suppress(FileNotFoundError):
                part.unlink()

    def abort(self) -> None:
        """From any thread: end the call that is under way, and all after it, with CONNECTION_LOST."""
        self._exchange.abort()

    def _get(self, url: str) -> Clip:
        with self._exchange.asking("GET", url) as answer:
            return _clip_in(answer)

    def _fetch(self, clip: Clip | str, result: str, file: IO[bytes]) -> None:
        link = clip.results.get(result) if isinstance(clip, Clip) else None
        with self._exchange.asking("GET", link or f"{self._at(clip)}/results/{quote(result, safe='')}") as answer:
            for piece in answer.pieces():
                file.write(piece)

    def _at(self, clip: Clip | str) -> str:
        return clip.url if isinstance(clip, Clip) else self._url(f"v1/clips/{quote(clip, safe='')}")

    def _url(self, path: str) -> str:
        return self._exchange.server + path


def _clip_in(answer: Answer) -> Clip:
    return clip_of(json.loads(answer.body()), answer.url)


def _opened(video: str | os.PathLike[str] | bytes) -> Any:
    return BytesIO(video) if isinstance(video, bytes) else open(video, "rb")


def _query(wishes: Mapping[str, Any]) -> str:
    return urlencode({name: _word(value) for name, value in wishes.items() if value is not None})


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
