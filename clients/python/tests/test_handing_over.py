"""Sessions that one stream leaves and another takes up: against real servers, through real sockets."""

import asyncio
import json
import random

import pytest
from live import LOSSLESS, SIZE, picture, read_all, run
from proxy import Proxy

from leadline_client import DepthMap, FailedFrame, LeadlineError, StreamHandle, connect, connect_async


async def send(stream, numbers) -> None:
    for number in numbers:
        await stream.send(picture(number), "rgb24", **SIZE)


def seen(depths) -> list:
    return [(depth.seq, depth.epoch, bytes(depth.payload)) for depth in depths]


async def uninterrupted(url) -> list:
    async with connect_async(url, LOSSLESS, read_ahead=20) as stream:
        for number in range(20):
            await stream.send(picture(number), "rgb24", **SIZE)
        await stream.close()
        return seen(await read_all(stream))


async def handed_over(first, second) -> list:
    """Twenty frames, of which another stream takes over those whose depth maps the first had no credit for."""
    async with connect_async(first, LOSSLESS, read_ahead=2) as stream:
        await send(stream, range(4))
        early = [await stream.next_outcome() for _ in range(2)]
        handle = await stream.detach()
        assert handle == stream.handle
        early += await read_all(stream)
    assert len(early) < 20
    handle = StreamHandle.from_dict(json.loads(json.dumps(handle.to_dict())))
    async with connect_async(second, resume=handle, read_ahead=20) as stream:
        assert stream.ready.resumed.continuity == "exact"
        await send(stream, range(4, 20))
        await stream.close()
        return seen(early) + seen(await read_all(stream))


def test_another_stream_goes_on_exactly_and_no_frame_is_lost_or_told_twice(server):
    async def main():
        url = f"ws://{server}"
        return await uninterrupted(url), await handed_over(url, url)

    wanted, found = run(main())
    assert found == wanted


def test_another_gateway_goes_on_exactly(gateways):
    (first, _), (second, _) = gateways

    async def main():
        return await uninterrupted(f"ws://{first}"), await handed_over(f"ws://{first}", f"ws://{second}")

    wanted, found = run(main())
    assert found == wanted


def test_a_handle_of_long_ago_goes_on_although_outcomes_behind_it_never_come_again(server):
    async def main():
        first = await connect_async(f"ws://{server}", LOSSLESS)
        old = first.handle
        await send(first, range(8))
        early = [await first.next_outcome() for _ in range(8)]
        await first.flush()
        async with connect_async(f"ws://{server}", resume=old) as second:
            reading = asyncio.create_task(read_all(second))
            await send(second, range(8, 20))
            await second.close()
        with pytest.raises(LeadlineError) as caught:
            await first.next_outcome()
        return [outcome.seq for outcome in early], [outcome.seq for outcome in await reading], caught.value.code

    early, late, code = run(main())
    assert (early, late[-12:], code) == (list(range(8)), list(range(8, 20)), "SESSION_REPLACED")


@pytest.mark.parametrize("config", [LOSSLESS, {"sceneCut": False}], ids=["lossless", "latest"])
def test_however_often_a_session_is_handed_over_and_cut_every_frame_has_one_outcome(server, config):
    chance = random.Random(5)

    async def main():
        told, handle = [], None
        async with Proxy(server) as proxy:
            for turn in range(12):
                beside = {"config": config} if handle is None else {"resume": handle}
                async with connect_async(proxy.url, read_ahead=1, **beside) as stream:
                    reading = asyncio.create_task(read_all(stream))
                    for number in range(8):
                        await stream.send(picture(8 * turn + number), "rgb24", **SIZE)
                        if chance.random() < 0.1:
                            proxy.cut()
                    if turn < 11:
                        leaving = asyncio.create_task(stream.detach())
                        if chance.random() < 0.5:
                            await asyncio.sleep(0)
                            proxy.cut()
                        handle = await leaving
                told += await reading
        return told

    told = run(main())
    assert sorted(outcome.seq for outcome in told) == list(range(96))
    assert not [outcome for outcome in told if isinstance(outcome, FailedFrame)]
    if config is LOSSLESS:
        assert [outcome.seq for outcome in told if isinstance(outcome, DepthMap)] == list(range(96))


def test_the_synchronous_stream_does_the_same(server):
    with connect(f"ws://{server}", LOSSLESS) as stream:
        stream.send(picture(0), "rgb24", **SIZE)
        handle = stream.detach()
        told = list(stream.outcomes)
    with connect(f"ws://{server}", resume=handle) as stream:
        assert stream.handle.token != handle.token
        stream.send(picture(1), "rgb24", **SIZE)
        stream.close()
        told += list(stream.outcomes)
    assert [outcome.seq for outcome in told] == [0, 1]
