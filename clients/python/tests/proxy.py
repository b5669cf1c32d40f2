from __future__ import annotations

import asyncio
from collections.abc import Callable


class Proxy:
    """A TCP proxy whose connections can be cut, as a network cuts them."""

    def __init__(self, target: str) -> None:
        self._host, _, self._port = target.partition(":")
        self._writers: list[asyncio.StreamWriter] = []
        self._pumps: list[asyncio.Task[None]] = []
        self.is_open = True
        self.num_connections = 0
        self._bytes_left: int | None = None

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        self.url = f"ws://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    def cut(self) -> None:
        """Reset every connection: what is on the way is lost."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def cut_after(self, num_bytes: int) -> None:
        """Cut once so many more have gone to the server."""
        self._bytes_left = num_bytes

    def _count(self, num_bytes: int) -> None:
        if self._bytes_left is None:
            return
        self._bytes_left -= num_bytes
        if self._bytes_left <= 0:
            self._bytes_left = None
            self.cut()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.is_open:
            writer.transport.abort()
            return
        self.num_connections += 1
        server_reader, server_writer = await asyncio.open_connection(self._host, int(self._port))
        self._writers += [writer, server_writer]
        self._pumps.append(asyncio.create_task(_pump(reader, server_writer, self._count)))
        self._pumps.append(asyncio.create_task(_pump(server_reader, writer, lambda num_bytes: None)))


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter, count: Callable[[int], None]) -> None:
    try:
        while data := await source.read(65536):
            target.write(data)
            count(len(data))
            await target.drain()
    except (OSError, asyncio.IncompleteReadError):
        pass
    target.close()
