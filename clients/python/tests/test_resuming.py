"""Connections that break, and servers that leave: against real ones, through real sockets."""

import asyncio
import json
import random
from dataclasses import replace

import pytest
import vectors
import websockets.asyncio.server
from live import LOSSLESS, SIZE, picture, read_all, run, until
from proxy import Proxy

from leadline_client import GoAway, LeadlineError, Lost, Resumed, connect_async
from leadline_client.protocol import decode_message, encode_message


async def stream_with_cuts(url, cut_at, cut):
    """Depth maps of 60 frames as bytes, and what was told of the connection."""
    events = []
    async with connect_async(url, LOSSLESS, on_event=events.append) as stream:
        reading = asyncio.create_task(read_all(stream))
        for number in range(60):
            await stream.send(picture(number), "rgb24", **SIZE)
            if number in cut_at:
                num_events = len(events)
                cut()
                await until(lambda: len(events) == num_events + 2)
        await stream.close()
    return [(o.seq, o.epoch, bytes(o.payload)) for o in await reading], events


def test_a_cut_connection_is_resumed_exactly(server):
    async def main():
        wanted, _ = await stream_with_cuts(f"ws://{server}", (), None)
        async with Proxy(server) as proxy:
            found, events = await stream_with_cuts(proxy.url, (7, 31), proxy.cut)
        return wanted, found, events, proxy.num_connections

    wanted, found, events, num_connections = run(main())
    assert found == wanted
    assert num_connections == 3
    assert [type(event) for event in events] == [Lost, Resumed, Lost, Resumed]
    assert [e.continuity for e in events if isinstance(e, Resumed)] == ["exact", "exact"]
    assert events[0].error.code == "CONNECTION_LOST"


@pytest.mark.parametrize("config", [LOSSLESS, {"sceneCut": False}], ids=["lossless", "latest"])
def test_however_often_a_connection_is_cut_every_frame_has_one_outcome(server, config):
    chance = random.Random(3)

    async def main():
        async with Proxy(server) as proxy:
            async with connect_async(proxy.url, config, read_ahead=1) as stream:
                reading = asyncio.create_task(read_all(stream))
                for number in range(200):
                    await stream.send(picture(number), "rgb24", **SIZE)
                    if chance.random() < 0.02:
                        await stream.reset()
                    if chance.random() < 0.02:
                        await stream.flush()
                    if chance.random() < 0.1:
                        proxy.cut()
                    if chance.random() < 0.3:
                        await asyncio.sleep(0.005)
                summary = await stream.close()
        return [outcome.seq for outcome in await reading], summary

    seqs, summary = run(main())
    assert seqs == list(range(200))
    assert (summary.frames, summary.errors) == (200, 0)


def test_a_killed_gateway_is_left_for_another(gateways):
    (first, process), (second, _) = gateways

    async def main():
        wanted, _ = await stream_with_cuts(f"ws://{second}", (), None)
        urls = [f"ws://{first}", f"ws://{second}"]
        found, events = await stream_with_cuts(urls, (23,), process.kill)
        return wanted, found, events

    wanted, found, (lost, resumed) = run(main())
    assert found == wanted
    assert lost.error.code == "CONNECTION_LOST"
    assert resumed.continuity == "exact"


def test_a_network_that_is_away_for_a_while_is_waited_for(server):
    async def main():
        events = []
        async with Proxy(server) as proxy:
            async with connect_async(proxy.url, LOSSLESS, on_event=events.append) as stream:
                proxy.is_open = False
                proxy.cut()
                await until(lambda: events)
                seq = await stream.send(picture(0), "rgb24", **SIZE)
                proxy.is_open = True
                outcome = await stream.next_outcome()
                assert (seq, outcome.seq) == (0, 0)
        return events

    lost, resumed = run(main())
    assert isinstance(lost, Lost) and lost.grace_ms > 0
    assert isinstance(resumed, Resumed)
    assert (resumed.continuity, resumed.resent) == ("exact", 1)


def test_a_stream_moves_when_its_server_leaves_and_stays_on_its_socket_meanwhile():
    """By a server that says what a test wants: the real one leaves when it is killed."""
    ready = json.loads(next(e["text"] for e in vectors.read("control")["server"] if e["name"] == "ready-resumed"))
    first = {key: value for key, value in ready.items() if key != "resumed"}
    configs = []

    async def serve(socket):
        configs.append(json.loads(await socket.recv()))
        is_first = len(configs) == 1
        message = first if is_first else {**ready, "resumed": {**ready["resumed"], "after": 0}}
        await socket.send(json.dumps(message))
        if is_first:
            await socket.send('{"type":"goAway","timeLeftMs":100}')
        async for data in socket:
            if isinstance(data, bytes):
                header, _ = decode_message(data)
                answer = replace(header, kind=2, codec="raw", width=1, height=1, epoch=1)
                await socket.send(encode_message(answer, b"\x07"))
            elif '"close"' in data:
                await socket.send('{"type":"summary","frames":1,"results":1,"drops":0,"errors":0,"seconds":1}')

    async def main():
        events = []
        async with websockets.asyncio.server.serve(serve, "127.0.0.1", 0, subprotocols=["leadline.v1"]) as server:
            port = server.sockets[0].getsockname()[1]
            async with connect_async(f"ws://127.0.0.1:{port}", LOSSLESS, on_event=events.append) as stream:
                await stream.send(b"x", "jpeg")
                await stream.next_outcome()
                await until(lambda: len(events) == 2)
                await stream.send(b"x", "jpeg")
                await stream.next_outcome()
        return events

    go_away, resumed = run(main())
    assert go_away == GoAway(100)
    assert (resumed.continuity, resumed.ms, resumed.resent) == ("exact", 0, 0)
    assert configs[1]["resume"] == {"session": "s_1", "token": "t1", "epoch": 1, "seq": 0}


def test_a_stream_that_is_not_resumable_ends_with_its_socket(server):
    async def main():
        async with Proxy(server) as proxy:
            stream = await connect_async(proxy.url, LOSSLESS, resumable=False)
            await stream.flush()
            assert stream.ready.grace_ms == 0
            proxy.cut()
            with pytest.raises(LeadlineError) as caught:
                await stream.next_outcome()
            with pytest.raises(LeadlineError):
                await stream.send(picture(0), "rgb24", **SIZE)
            await stream.abort()
            return caught.value

    error = run(main())
    assert (error.code, error.temporary) == ("CONNECTION_LOST", True)
