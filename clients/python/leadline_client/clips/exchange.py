"""Requests over HTTP, with their failures as LeadlineErrors."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from ..address import refusal, unreachable
from ..errors import LeadlineError

_PIECE_BYTES = 2**18


class Answer:
    """An answer that is none of refusal, read as it comes. Raises CONNECTION_LOST when it breaks off."""

    def __init__(self, url: str, response: http.client.HTTPResponse) -> None:
        self.url = url
        self.status = response.status
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in response.getheaders()}
        self._response = response

    def pieces(self) -> Iterator[bytes]:
        wanted, found = self._response.length, 0
        while piece := self._read(_PIECE_BYTES):
            found += len(piece)
            yield piece
        # `read` with a size says nothing of an end that came too early.
        if wanted is not None and found < wanted:
            raise _broken(self.url, f"it sent {found} of {wanted} bytes")

    def body(self) -> bytes:
        return b"".join(self.pieces())

    def lines(self) -> Iterator[bytes]:
        """Each with its line feed. Ends where the answer does, or breaks off."""
        while line := self._readline():
            yield line

    def _read(self, size: int) -> bytes:
        try:
            return self._response.read(size)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _broken(self.url, error) from error

    def _readline(self) -> bytes:
        try:
            return self._response.readline()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _broken(self.url, error) from error


class Exchange:
    """Asks one server, one request at a time. `abort`, from any thread, ends the one under way and all after it."""

    def __init__(self, server: str, key: str | None, patience: float) -> None:
        self.server = server
        self.key = key
        self.patience = patience
        """Seconds for which nothing may come through."""
        self._aborted = threading.Event()
        self._connection: http.client.HTTPConnection | None = None

    @contextmanager
    def asking(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Iterator[Answer]:
        """The answer, unless the server refused."""
        parts = urlsplit(url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.netloc.rpartition("@")[2], timeout=self.patience)
        self._connection = connection
        try:
            path = urlunsplit(("", "", parts.path or "/", parts.query, ""))
            response = self._answer_to(connection, (method, path, self._shown(url, headers or {}), body), url)
            if not 200 <= response.status < 300:
                fields = {name.lower(): value for name, value in response.getheaders()}
                raise refusal(url, response.status, response.reason, fields, _text_of(response))
            yield Answer(url, response)
        except LeadlineError:
            if self._aborted.is_set():
                raise _aborted() from None
            raise
        finally:
            self._connection = None
            connection.close()

    def wait(self, seconds: float) -> None:
        if self._aborted.wait(seconds):
            raise _aborted()

    def abort(self) -> None:
        self._aborted.set()
        connection = self._connection
        taken = None if connection is None else connection.sock
        if taken is not None:
            try:
                taken.shutdown(socket.SHUT_RDWR)  # wakes whoever reads, which `close` does not
            except OSError:
                pass  # it has ended by itself

    def _shown(self, url: str, headers: Mapping[str, str]) -> dict[str, str]:
        """A link may lead elsewhere, where the key is nobody's business."""
        is_ours = urlsplit(url)[:2] == urlsplit(self.server)[:2]
        key = {"authorization": f"Bearer {self.key}"} if is_ours and self.key is not None else {}
        return {"connection": "close", **headers, **key}

    def _answer_to(
        self, connection: http.client.HTTPConnection, request: tuple[str, str, dict[str, str], Any], url: str
    ) -> http.client.HTTPResponse:
        method, path, headers, body = request
        try:
            connection.connect()
            # After the socket is there, which `abort` looks for once it has said so.
            if self._aborted.is_set():
                raise _aborted()
            try:
                connection.request(method, path, body, headers)
            except (BrokenPipeError, ConnectionResetError):
                # A server that refuses an upload does not read it to its end.
                if connection.sock is None:
                    raise
            return connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise unreachable(url, error) from error


def _text_of(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read()
    except (OSError, http.client.HTTPException):
        return b""


def _broken(url: str, why: object) -> LeadlineError:
    scheme, host, *_ = urlsplit(url)
    return LeadlineError("CONNECTION_LOST", f"The answer of {scheme}://{host.rpartition('@')[2]} broke off: {why}")


def _aborted() -> LeadlineError:
    return LeadlineError("CONNECTION_LOST", "The request was aborted on this side")
