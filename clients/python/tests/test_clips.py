"""Against a real server, through real sockets."""

import asyncio
import http.server
import shutil
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from live import run
from proxy import Proxy

from leadline_client import LeadlineError
from leadline_client.clips import AsyncClipsClient, ClipsClient, read_depth
from leadline_client.clips.events import events_of

NPZ = {"results": ["npz"]}
LARGE_BYTES = 6_000_000

pytestmark = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


def made(folder: Path, frames: int) -> Path:
    out = folder / f"{frames}.mp4"
    source = ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25", "-frames:v", str(frames)]
    subprocess.run(["ffmpeg", "-v", "error", *source, out], check=True)
    return out


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    return made(tmp_path_factory.mktemp("clip"), 5)


@pytest.fixture(scope="module")
def large(tmp_path_factory) -> Path:
    """Two frames, and a box behind them that nobody reads."""
    out = made(tmp_path_factory.mktemp("clip"), 2)
    with out.open("ab") as file:
        file.write(struct.pack(">I4s", LARGE_BYTES, b"free") + bytes(LARGE_BYTES - 8))
    return out


def test_a_video_is_sent_followed_and_comes_back_as_arrays(server, small, tmp_path):
    clips = ClipsClient(f"ws://{server}")
    sent, states = [], []
    clip = clips.create(small, {**NPZ, "cacheSize": 8, "refine": False}, on_progress=lambda *told: sent.append(told))
    assert sent == [(small.stat().st_size,) * 2]
    assert clip.document["cacheSize"] == 8
    done = clips.finished(clip, on_change=lambda clip: states.append(clip.state))
    assert states[-1] == done.state == "done"
    assert (done.frames, done.frame_count, list(done.results)) == (5, 5, ["npz"])

    depth = clips.depth(done)
    assert depth.values.dtype == np.float32 and depth.values.shape[0] == 5
    assert depth.values.std() > 0
    assert depth.times == pytest.approx(np.arange(5) / 25)
    assert depth.epoch.tolist() == [1] * 5
    assert depth.quantity == "relative-inverse-depth"
    assert np.array_equal(clips.depth(done.id).values, depth.values)

    saved = clips.save(done, "npz", tmp_path / "depth.npz")
    assert np.array_equal(np.load(saved)["depth"], depth.values)
    assert list(tmp_path.iterdir()) == [saved]

    assert clips.list(states=["done"], limit=1).clips[0].id == done.id
    clips.remove(done)
    with pytest.raises(LeadlineError) as caught:
        clips.get(done.id)
    assert caught.value.code == "CLIP_UNKNOWN"


def test_a_large_video_goes_on_where_it_was_however_often_the_connection_breaks(server, large):
    async def main():
        sent = []
        async with Proxy(server) as proxy:

            def on_progress(num_bytes, total):
                sent.append(num_bytes)
                if num_bytes < 4_000_000:
                    proxy.cut_after(200_000)  # in the middle of the next part

            clips = AsyncClipsClient(proxy.url)
            clip = await clips.create(large, NPZ, on_progress=on_progress)
            done = await clips.finished(clip)
            depth = await clips.depth(done)
        return sent, done, depth

    sent, done, depth = run(main())
    assert sent == sorted(sent)
    assert len(sent) > 4 and sent[-1] == large.stat().st_size
    assert done.frames == len(depth.values) == 2


def test_an_upload_that_was_left_is_gone_on_with_by_its_key_and_a_whole_one_is_not(server, large):
    leaving = ClipsClient(f"ws://{server}")

    def leave(num_bytes, total):
        if num_bytes > 0:
            leaving.abort()

    with pytest.raises(LeadlineError, match="aborted on this side"):
        leaving.create(large, NPZ, resume_key="python-walk", on_progress=leave)
    clips, sent = ClipsClient(f"ws://{server}"), []
    clip = clips.create(large, NPZ, resume_key="python-walk", on_progress=lambda *told: sent.append(told[0]))
    assert sent[0] > 0
    assert clips.create(large.read_bytes(), NPZ, resume_key="python-walk").id != clip.id
    with pytest.raises(LeadlineError) as caught:
        clips.create(large, resume_key="python-walk")
    assert caught.value.code == "IDEMPOTENCY_KEY_REUSED"


def test_a_task_that_is_cancelled_leaves_its_upload_to_be_gone_on_with(server, large):
    async def main():
        clips, came = AsyncClipsClient(f"ws://{server}"), asyncio.Event()

        def on_progress(num_bytes, total):
            if num_bytes > 0:
                came.set()

        creating = asyncio.create_task(clips.create(large, NPZ, resume_key="left", on_progress=on_progress))
        await came.wait()
        creating.cancel()
        with pytest.raises(asyncio.CancelledError):
            await creating
        names = {thread.name for thread in threading.enumerate()}
        while "leadline-clips" in names:
            await asyncio.sleep(0.01)
            names = {thread.name for thread in threading.enumerate()}
        sent = []
        await clips.create(large, NPZ, resume_key="left", on_progress=lambda *told: sent.append(told[0]))
        return sent

    assert run(main())[0] > 0


def test_following_goes_on_after_a_cut_and_each_change_is_told_once(server, tmp_path):
    async def main():
        told = []
        async with Proxy(server) as proxy:
            clips = AsyncClipsClient(proxy.url)
            clip = await clips.create(made(tmp_path, 3000), NPZ)
            async for change in clips.follow(clip):
                if not told:
                    proxy.cut()
                told.append((change.state, change.frames))
        return told, proxy.num_connections

    told, _ = run(main())
    assert told[0][0] != "done", "the clip was too short for a cut in between"
    assert told[-1] == ("done", 3000)
    assert len(set(told)) == len(told)


def test_a_clip_that_is_cancelled_has_no_depth(server, tmp_path):
    clips = ClipsClient(f"ws://{server}")
    clip = clips.create(made(tmp_path, 3000), NPZ)
    assert clips.cancel(clip).state == "cancelled"
    for call in (lambda: clips.finished(clip), lambda: clips.depth(clip)):
        with pytest.raises(LeadlineError) as caught:
            call()
        assert caught.value.code == "CLIP_FAILED"


@pytest.mark.parametrize(
    ("video", "wishes", "code"),
    [
        (b"", {}, "CLIP_INVALID"),
        (b"x" * 5000, {}, "CLIP_INVALID"),
        (b"x", {"model": "none"}, "MODEL_UNKNOWN"),
        (b"x", {"results": ["gif"]}, "REQUEST_INVALID"),
    ],
)
def test_what_cannot_be_a_clip_is_refused_by_name(server, video, wishes, code):
    with pytest.raises(LeadlineError) as caught:
        ClipsClient(f"http://{server}").create(video, wishes)
    assert caught.value.code == code


def test_an_address_inside_is_not_fetched(server):
    with pytest.raises(LeadlineError) as caught:
        ClipsClient(f"http://{server}").create_from_url("http://127.0.0.1:1/walk.mp4")
    assert caught.value.code == "URL_FORBIDDEN"


def test_nobody_at_the_address_is_temporary_and_what_is_no_address_is_refused(small):
    with pytest.raises(LeadlineError, match="is the server running") as caught:
        ClipsClient("http://127.0.0.1:9").create(small)
    assert (caught.value.code, caught.value.temporary) == ("CONNECTION_LOST", True)
    for kind in (ClipsClient, AsyncClipsClient):
        with pytest.raises(LeadlineError) as caught:
            kind("host:port")
        assert caught.value.code == "REQUEST_INVALID"


@contextmanager
def answering(answer) -> Iterator[tuple[str, list]]:
    """A server that answers every GET with `answer(handler)`; its address, and the keys that it was shown."""
    keys = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            keys.append(self.headers["authorization"])
            answer(self)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", keys
        server.shutdown()


def body(text: str, length: int | None = None):
    def answer(handler):
        handler.send_response(200)
        handler.send_header("content-length", str(len(text) if length is None else length))
        handler.end_headers()
        handler.wfile.write(text.encode())

    return answer


DOCUMENT = '{"id": "x", "state": "done", "progress": {"frames": 1, "frameCount": 1}, "failure": null, "links": %s}'


def test_a_link_that_leads_to_another_server_is_followed_without_the_key(tmp_path):
    with answering(body("depth")) as (elsewhere, others):
        links = f'{{"self": "x", "results": {{"npz": "{elsewhere}there"}}}}'
        with answering(body(DOCUMENT % links)) as (url, keys):
            clips = ClipsClient(url, key="lk_x")
            saved = clips.save(clips.get("x"), "npz", tmp_path / "depth.npz")
    assert saved.read_bytes() == b"depth"
    assert (keys, others) == (["Bearer lk_x"], [None])


def test_an_answer_that_breaks_off_is_told_and_leaves_no_file(tmp_path):
    with answering(body("dep", length=5)) as (url, _):
        with pytest.raises(LeadlineError, match="3 of 5 bytes") as caught:
            ClipsClient(url).save("x", "npz", tmp_path / "depth.npz")
    assert caught.value.code == "CONNECTION_LOST"
    assert list(tmp_path.iterdir()) == []


def test_scale_and_offset_are_applied_and_what_is_no_npz_is_named():
    file = BytesIO()
    stored = np.array([[[0, 100]], [[0, 100]]], np.uint16)
    beside = {"times": np.arange(2.0), "epoch": np.array([1, 2]), "quantity": "metric-depth"}
    np.savez(file, depth=stored, scale=np.float32([1, 0.5]), offset=np.float32([0, 2]), **beside)
    file.seek(0)
    depth = read_depth(file)
    assert depth.values.tolist() == [[[0, 100]], [[2, 52]]]
    assert (depth.values.dtype, depth.quantity, depth.epoch.tolist()) == (np.float32, "metric-depth", [1, 2])
    for damaged in (b"no", file.getvalue()[:-9]):
        with pytest.raises(LeadlineError) as caught:
            read_depth(BytesIO(damaged))
        assert caught.value.code == "DATA_INVALID"


def test_events_are_read_without_comments_and_one_that_breaks_off_is_not_told():
    text = ': hi\n\nid: 1\nevent: ä\ndata: {"ä": 1}\n\nretry: 5\n\nid: 2\r\ndata: b\r\n\r\ndata: half\n'
    assert list(events_of(BytesIO(text.encode()))) == [("1", '{"ä": 1}'), ("2", "b")]
    assert list(events_of(BytesIO(b"data: a\n"))) == []
