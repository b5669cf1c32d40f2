"""One WebSocket to a server, with its failures as LeadlineErrors."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from .address import refusal, unreachable
from .errors import LeadlineError, close_failure
from .protocol import SUBPROTOCOL, TICKET_PREFIX

# A close of ours that does not end the session; 1000 would.
_COMING_BACK = 4000
# An attempt that takes longer meets nobody: a server that makes a latent cache anew has answered before.
ATTEMPT_SECONDS = 20
# A server that answers no ping for so long is taken for gone: the socket of a network that went away says nothing.
_PING_SECONDS = 10
# Above this many unsent bytes the network is slower than the source; at 5 Mbit/s they take a tenth of a second.
_MAX_BUFFERED_BYTES = 65_536


class Link:
    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    @classmethod
    async def open(cls, url: str, headers: Mapping[str, str], ticket: str | None, *, watched: bool) -> Link:
        """Connect. `watched`: cut a server that answers no ping, which pays when the session can be resumed."""
        offered = [SUBPROTOCOL] if ticket is None else [SUBPROTOCOL, f"{TICKET_PREFIX}{ticket}"]
        try:
            socket = await connect(
                url,
                subprotocols=[Subprotocol(name) for name in offered],
                additional_headers=dict(headers),
                compression=None,  # payloads are compressed already
                max_size=None,
                open_timeout=ATTEMPT_SECONDS,
                ping_interval=_PING_SECONDS if watched else None,
                ping_timeout=_PING_SECONDS,
                close_timeout=2,
                write_limit=_MAX_BUFFERED_BYTES,
            )
        except InvalidStatus as error:
            answer = error.response
            fields = {name.lower(): value for name, value in answer.headers.raw_items()}
            raise refusal(url, answer.status_code, answer.reason_phrase, fields, bytes(answer.body or b"")) from error
        except InvalidHandshake as error:
            # The connection broke before there was an answer.
            if isinstance(error.__cause__, (EOFError, OSError)):
                raise unreachable(url, error.__cause__) from error
            detail = f"{url} does not answer as a WebSocket: {error}; is this the address of a Leadline server?"
            raise LeadlineError("ANSWER_UNEXPECTED", detail) from error
        except (OSError, EOFError, asyncio.TimeoutError) as error:
            raise unreachable(url, error) from error
        if socket.subprotocol != SUBPROTOCOL:
            await socket.close()
            detail = f'{url} does not speak "{SUBPROTOCOL}"; is this the address of a Leadline server?'
            raise LeadlineError("ANSWER_UNEXPECTED", detail)
        return cls(socket)

    async def send(self, message: str | bytes) -> None:
        """Returns when the socket has taken it."""
        try:
            await self._socket.send(message)
        except ConnectionClosed as error:
            raise _closed(error) from error

    async def receive(self) -> str | bytes:
        try:
            return await self._socket.recv()
        except ConnectionClosed as error:
            raise _closed(error) from error

    async def end(self) -> None:
        """The stream is over: the server frees the session."""
        await self._socket.close(1000)

    async def leave(self) -> None:
        """Let go of the socket alone."""
        await self._socket.close(_COMING_BACK)


def _closed(error: ConnectionClosed) -> LeadlineError:
    if error.rcvd is None:
        words = "did not answer in time" if error.sent is not None and error.sent.code == 1011 else "broke"
        return LeadlineError("CONNECTION_LOST", f"The connection {words}")
    return close_failure(error.rcvd.code, error.rcvd.reason)
