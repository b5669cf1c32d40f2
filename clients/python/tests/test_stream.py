"""Against a real server, through real sockets."""

import asyncio
import http.server
import json
import random
import threading
from dataclasses import replace

import numpy as np
import pytest
import vectors
import websockets.asyncio.server
from conftest import GIVE_UP_SECONDS
from proxy import Proxy

from leadline_client import (
    DepthMap,
    Drop,
    FailedFrame,
    GoAway,
    LeadlineError,
    Lost,
    Resumed,
    connect,
    connect_async,
)
from leadline_client.protocol import decode_message, encode_message

WIDTH, HEIGHT = 64, 48
SIZE = {"width": WIDTH, "height": HEIGHT}
LOSSLESS = {"delivery": "lossless", "sceneCut": False}


def picture(number: int) -> bytes:
    """Blocks that move: not blank, no cut, and each another one."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    grey = ((rows // 8 * 5 + (columns + number) // 8 * 3) % 7 * 36).astype(np.uint8)
    return np.repeat(grey[..., None], 3, 2).tobytes()


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, GIVE_UP_SECONDS))


async def read_all(stream) -> list:
    return [outcome async for outcome in stream.outcomes]


async def until(holds) -> None:
    while not holds():
        await asyncio.sleep(0.01)


def test_a_checkpoint_goes_on_as_the_first_stream_would_have(server):
    f32 = {**LOSSLESS, "output": {"format": "f32"}}

    def send_some(stream, numbers):
        for number in numbers:
            stream.send(picture(number), "rgb24", **SIZE, timestamp_us=number)
        return [stream.next_outcome() for _ in numbers]

    with connect(f"ws://{server}", f32) as first:
        send_some(first, range(5))
        context = first.checkpoint()
        uninterrupted = send_some(first, range(5, 8))
    with connect(f"ws://{server}", f32, context=context) as second:
        assert second.ready.continued.continuity == "exact"
        assert second.ready.continued.seq == 4
        again = send_some(second, range(5, 8))
    assert [depth.seq for depth in again] == [5, 6, 7]
    for depth, expected in zip(again, uninterrupted, strict=True):
        assert np.array_equal(depth.values, expected.values)
    with pytest.raises(LeadlineError) as refused:
        connect(f"ws://{server}", f32, context=context[:-1])
    assert refused.value.code == "CONTEXT_INVALID"


def test_checkpoints_for_asyncio_and_of_a_stream_that_is_closed(server):
    async def main():
        async with connect_async(f"ws://{server}", LOSSLESS) as stream:
            contexts = await asyncio.gather(stream.checkpoint(), stream.checkpoint())
            await stream.close()
            with pytest.raises(LeadlineError) as refused:
                await stream.checkpoint()
            return contexts, refused.value.code

    contexts, code = run(main())
    assert code == "REQUEST_INVALID"
    assert all(context.startswith(b"LLCX") for context in contexts)


def test_async_for_gives_the_depth_maps_in_order(server):
    async def main():
        async with connect_async(f"ws://{server}", {**LOSSLESS, "output": {"format": "f32"}}) as stream:
            assert stream.ready.grace_ms > 0

            async def send_all():
                for number in range(20):
                    await stream.send(picture(number), "rgb24", **SIZE, timestamp_us=number * 1000)
                return await stream.close()

            sending = asyncio.create_task(send_all())
            maps = [depth async for depth in stream.results]
            return maps, await sending

    maps, summary = run(main())
    assert [depth.seq for depth in maps] == list(range(20))
    assert [depth.header.timestamp_us for depth in maps] == [number * 1000 for number in range(20)]
    assert maps[0].is_first and not maps[1].is_first
    assert {depth.epoch for depth in maps} == {1}
    assert {depth.quantity for depth in maps} == {"relative-inverse-depth"}
    assert all(depth.values.shape == (depth.header.height, depth.header.width) for depth in maps)
    assert (summary.frames, summary.results, summary.drops, summary.errors) == (20, 20, 0, 0)


@pytest.mark.parametrize("output_format, dtype", [("u16", "<u2"), ("f16", "<f2"), ("f32", "<f4")])
def test_an_ordinary_loop_gives_arrays_of_what_was_asked_for(server, output_format, dtype):
    with connect(f"http://{server}", {"delivery": "lossless", "output": {"format": output_format}}) as stream:
        stream.send(picture(0), "rgb24", **SIZE)
        summary = stream.close()
        (depth,) = stream.results
    assert summary.results == 1
    assert depth.stored.dtype == np.dtype(dtype)
    assert not depth.stored.flags.writeable
    wanted = depth.stored.astype(np.float64) * depth.header.scale + depth.header.offset
    assert depth.values == pytest.approx(wanted)
    assert depth.values.max() > depth.values.min()


def test_what_goes_compressed_over_the_wire_is_read_as_if_it_had_not(server):
    def depth_of(**output):
        with connect(f"ws://{server}", {**LOSSLESS, "output": {"size": "source", **output}}) as stream:
            stream.send(picture(3), "rgb24", **SIZE)
            return stream.next_outcome()

    plain, compressed = depth_of(), depth_of(compression="deflate")
    assert compressed.header.codec == "deflate"
    assert len(compressed.payload) < len(plain.payload)
    assert np.array_equal(compressed.stored, plain.stored)
    assert np.array_equal(compressed.values, plain.values)
    damaged = replace(compressed, payload=compressed.payload[:-1])
    with pytest.raises(LeadlineError, match="no deflated depth map of 64x48"):
        _ = damaged.stored


def test_frames_may_be_sent_in_one_thread_and_read_in_another(server):
    with connect(f"ws://{server}", LOSSLESS) as stream:

        def send_all():
            for number in range(40):
                stream.send(picture(number), "rgb24", **SIZE)
            stream.close()

        sender = threading.Thread(target=send_all)
        sender.start()
        assert [depth.seq for depth in stream.results] == list(range(40))
        sender.join()


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


def test_a_bad_frame_fails_alone(server):
    with connect(f"ws://{server}", LOSSLESS) as stream:
        stream.send(picture(0), "rgb24", **SIZE)
        stream.send(b"not a picture", "jpeg")
        stream.send(picture(2), "rgb24", **SIZE)
        stream.close()
        first, bad, last = stream.outcomes
    assert isinstance(first, DepthMap) and isinstance(last, DepthMap)
    assert isinstance(bad, FailedFrame)
    assert (bad.seq, bad.error.code, bad.error.temporary) == (1, "FRAME_DECODE_FAILED", False)


def test_with_latest_every_frame_has_an_outcome_and_the_last_a_depth_map(server):
    async def main():
        async with connect_async(f"ws://{server}") as stream:
            reading = asyncio.create_task(read_all(stream))
            for number in range(100):
                await stream.send(picture(number), "rgb24", **SIZE)
            summary = await stream.close()
        return await reading, summary

    outcomes, summary = run(main())
    assert [outcome.seq for outcome in outcomes] == list(range(100))
    assert isinstance(outcomes[-1], DepthMap)
    assert summary.drops == sum(isinstance(outcome, Drop) for outcome in outcomes)
    assert summary.frames == 100


def test_reset_begins_an_epoch_and_flush_waits_for_what_was_sent(server):
    with connect(f"ws://{server}", LOSSLESS) as stream:
        stream.send(picture(0), "rgb24", **SIZE)
        stream.flush()
        assert stream.unsettled == 0
        stream.reset()
        stream.send(picture(1), "rgb24", **SIZE)
        stream.flush()
        stream.close()
        assert [(depth.epoch, depth.is_first) for depth in stream.results] == [(1, True), (2, True)]


def test_an_update_holds_from_the_next_frame_on(server):
    with connect(f"ws://{server}", {**LOSSLESS, "output": {"format": "u16"}}) as stream:
        stream.send(picture(0), "rgb24", **SIZE)
        stream.update({"format": "f32"})
        stream.send(picture(1), "rgb24", **SIZE)
        stream.close()
        assert [depth.header.dtype for depth in stream.results] == ["u16", "f32"]
        with pytest.raises(LeadlineError, match="closed"):
            stream.update({})


def test_an_update_that_cannot_be_ends_the_stream(server):
    with pytest.raises(LeadlineError) as failure, connect(f"ws://{server}", LOSSLESS) as stream:
        stream.update({"refine": True})
    assert failure.value.code == "CONFIG_INVALID"


def test_a_refused_config_says_what_is_wrong(server):
    with pytest.raises(LeadlineError, match="/delivery") as caught:
        connect(f"ws://{server}", {"delivery": "someday"})
    assert (caught.value.code, caught.value.temporary) == ("CONFIG_INVALID", False)


def test_a_refused_handshake_brings_the_problem_of_the_server(server):
    with pytest.raises(LeadlineError) as caught:
        connect(f"ws://{server}", headers={"origin": "https://elsewhere.example"})
    assert caught.value.code == "ORIGIN_FORBIDDEN"


def test_another_server_at_the_address_is_told_apart():
    class Other(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.send_error(404)

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Other) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        with pytest.raises(LeadlineError, match="there is no Leadline at this path") as caught:
            connect(f"ws://127.0.0.1:{other.server_port}")
        other.shutdown()
    assert caught.value.code == "ANSWER_UNEXPECTED"


def test_nobody_at_the_address_is_temporary():
    with pytest.raises(LeadlineError, match="is the server running") as caught:
        connect("ws://127.0.0.1:9")
    assert (caught.value.code, caught.value.temporary) == ("CONNECTION_LOST", True)


@pytest.mark.parametrize("address", ["127.0.0.1:8042", "ftp://host", "", []])
def test_what_is_no_address_is_refused_before_anything_is_tried(address):
    with pytest.raises(LeadlineError) as caught:
        connect(address)
    assert caught.value.code == "REQUEST_INVALID"
