"""What the tests of streams share: pictures to send, and waiting that ends."""

import asyncio

import numpy as np
from conftest import GIVE_UP_SECONDS

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
