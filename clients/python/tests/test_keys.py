"""Against a real server that asks for keys."""

import asyncio
import json
import tempfile
import urllib.request
from collections.abc import Iterator

import pytest
from conftest import LISTENING, leadline, need

from leadline_client import LeadlineError, connect, connect_async
from leadline_client.clips import ClipsClient


@pytest.fixture(scope="module")
def guarded() -> Iterator[tuple[str, str]]:
    """Address of a server that asks for keys, and a key for it."""
    need("node")
    with tempfile.TemporaryDirectory() as folder:
        settings = {"LEADLINE_DATA_DIR": folder, "LEADLINE_AUTH": "keys"}
        making = leadline("keys", "create", "camera", **settings)
        key = making.printed(r"lk_[\w-]+")[0]
        process = leadline("serve", **settings)
        try:
            yield process.printed(LISTENING)[1], key
        finally:
            making.kill()
            process.kill()


def test_without_a_key_there_is_no_stream(guarded):
    server, key = guarded
    for shown in ({}, {"key": key[:-1]}):
        with pytest.raises(LeadlineError) as caught:
            connect(f"ws://{server}", **shown)
        assert (caught.value.code, caught.value.temporary) == ("UNAUTHENTICATED", False)


@pytest.mark.parametrize("headers", [None, {"x-of": "ours"}, lambda attempt: {"x-of": "ours"}])
def test_a_key_is_shown_beside_the_headers(guarded, headers):
    server, key = guarded
    with connect(f"ws://{server}", key=key, headers=headers) as stream:
        assert stream.ready.session


def test_clips_are_for_those_with_a_key(guarded):
    server, key = guarded
    assert ClipsClient(f"ws://{server}", key=key).list().clips == []
    with pytest.raises(LeadlineError) as caught:
        ClipsClient(f"ws://{server}").list()
    assert caught.value.code == "UNAUTHENTICATED"


def test_a_ticket_is_fetched_for_the_connection(guarded):
    server, key = guarded

    def fetch(attempt: int) -> str:
        asked = urllib.request.Request(
            f"http://{server}/v1/tickets", method="POST", headers={"authorization": f"Bearer {key}"}
        )
        with urllib.request.urlopen(asked) as answer:
            return json.load(answer)["ticket"]

    async def fetch_async(attempt: int) -> str:
        return await asyncio.to_thread(fetch, attempt)

    async def opened() -> bool:
        async with connect_async(f"ws://{server}", ticket=fetch_async) as stream:
            return stream.ready.session != ""

    with connect(f"ws://{server}", ticket=fetch) as stream:
        assert stream.ready.session
    assert asyncio.run(opened())
