"""Sends a video in parts, and goes on after whatever breaks off.

By tus 1.0.0: https://tus.io/protocols/resumable-upload.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urljoin

from ..errors import LeadlineError
from ..roaming import backoff
from .exchange import Answer, Exchange

# A part takes about a second, on whatever network: a cut costs no more, and each tells how far it is.
_PART_SECONDS = 1.0
_LEAST_PART, _FIRST_PART, _MOST_PART = 2**18, 2**20, 2**24
# Of a beginning, which nothing is lost with.
_TRIES_TO_BEGIN = 3
# Where the part went to the wrong place, and the server says which is right.
_ELSEWHERE = frozenset({"UPLOAD_OFFSET", "UPLOAD_TAKEN", "IDEMPOTENCY_PENDING"})
_VERSION = {"tus-resumable": "1.0.0"}
_TYPE = {"content-type": "application/offset+octet-stream"}


@dataclass(frozen=True)
class Video:
    file: BinaryIO
    """Seekable."""
    size: int
    """Bytes."""

    def read(self, offset: int, length: int) -> bytes:
        self.file.seek(offset)
        return self.file.read(length)


@dataclass(frozen=True)
class _Place:
    """Where an upload is, and where its clip is once there is one."""

    url: str
    offset: int
    clip: str | None


class Upload:
    def __init__(self, exchange: Exchange, url: str, video: Video, resume_key: str | None) -> None:
        """`url` makes uploads, and says what is wanted of them."""
        self._exchange = exchange
        self._url = url
        self._video = video
        self._resume_key = resume_key
        self._part = _FIRST_PART

    def send(self, on_progress: Callable[[int, int], None]) -> str:
        """The address of the clip. Raises what the server refuses it with, and CONNECTION_LOST."""
        place = self._begin()
        failures, moved_at, is_certain = 0, time.monotonic(), True
        while True:
            on_progress(place.offset, self._video.size)
            if place.clip is not None:
                return place.clip
            offset = place.offset
            try:
                place = self._send_part(place) if is_certain else self._look(place)
                is_certain = True
            except LeadlineError as error:
                if error.code == "UPLOAD_UNKNOWN":
                    # Deleted there, or with another gateway that shares nothing with this one.
                    self._resume_key = None
                    place = self._begin()
                elif error.temporary or error.code in _ELSEWHERE:
                    is_certain = False
                    self._part = max(_LEAST_PART, self._part // 2)
                    self._exchange.wait(backoff(failures, random.random(), error.retry_after_ms))
                    failures += 1
                else:
                    raise
                if time.monotonic() - moved_at > self._exchange.patience:
                    raise
            if place.offset > offset:
                failures, moved_at = 0, time.monotonic()

    def _begin(self) -> _Place:
        # With a key of before it may be there, whole or in part: so nothing is sent along.
        is_small = self._resume_key is None and self._video.size <= _FIRST_PART
        body = self._video.read(0, self._video.size) if is_small else None
        key = self._resume_key or str(uuid.uuid4())
        tries = 0
        while True:
            tries += 1
            named = {"upload-length": str(self._video.size), "idempotency-key": key}
            headers = {**_VERSION, **named, **(_TYPE if is_small else {})}
            try:
                with self._exchange.asking("POST", self._url, headers, body) as answer:
                    place = _place_of(answer, urljoin(self._url, answer.headers.get("location", "")))
                if self._resume_key is None or place.clip is None:
                    return place
                # One of before, which was sent to its end.
            except LeadlineError as error:
                if error.code not in ("UPLOAD_UNKNOWN", "CONNECTION_LOST", "IDEMPOTENCY_PENDING"):
                    raise
                if tries == _TRIES_TO_BEGIN:
                    raise
                self._exchange.wait(backoff(tries, random.random(), error.retry_after_ms))
                if error.code != "UPLOAD_UNKNOWN":
                    continue
            key, self._resume_key = str(uuid.uuid4()), None

    def _send_part(self, place: _Place) -> _Place:
        body = self._video.read(place.offset, self._part)
        headers = {**_VERSION, **_TYPE, "upload-offset": str(place.offset)}
        started_at = time.monotonic()
        with self._exchange.asking("PATCH", place.url, headers, body) as answer:
            sent = _place_of(answer, place.url)
        self._part = _next_part(self._part, time.monotonic() - started_at)
        return sent

    def _look(self, place: _Place) -> _Place:
        with self._exchange.asking("HEAD", place.url, _VERSION) as answer:
            return _place_of(answer, place.url)


def _next_part(part: int, took_seconds: float) -> int:
    following = part * 2 if took_seconds < _PART_SECONDS else part // 2 if took_seconds > _PART_SECONDS * 4 else part
    return min(_MOST_PART, max(_LEAST_PART, following))


def _place_of(answer: Answer, url: str) -> _Place:
    offset = answer.headers.get("upload-offset")
    if offset is None:
        detail = "The server says nothing of the upload; is something in front of it that takes headers away?"
        raise LeadlineError("ANSWER_UNEXPECTED", detail)
    clip = answer.headers.get("x-leadline-clip")
    return _Place(url, int(offset), None if clip is None else urljoin(answer.url, clip))
