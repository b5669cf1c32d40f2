"""Frames in, depth maps out: against a real server, through real sockets."""

import asyncio
import http.server
import threading
from dataclasses import replace

import numpy as np
import pytest
from live import LOSSLESS, SIZE, picture, read_all, run

from leadline_client import DepthMap, Drop, FailedFrame, LeadlineError, connect, connect_async


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


@pytest.mark.parametrize("address", ["host:port", "ftp://host", "", []])
def test_what_is_no_address_is_refused_before_anything_is_tried(address):
    with pytest.raises(LeadlineError) as caught:
        connect(address)
    assert caught.value.code == "REQUEST_INVALID"
