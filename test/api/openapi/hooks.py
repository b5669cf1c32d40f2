"""Bodies that are what they say, beside those that are not; and no address that anybody could own."""

import os
import pathlib
from urllib.parse import urlsplit

import schemathesis
from hypothesis import strategies as st

files = pathlib.Path(os.environ["LEADLINE_TEST_FILES"])


def real_or_not(name: str) -> st.SearchStrategy[bytes]:
    real = (files / name).read_bytes()
    cut = st.integers(0, len(real)).map(lambda length: real[:length])
    return st.one_of(st.just(real), cut, st.binary(max_size=4096))


for media_type, name in {
    "video/mp4": "clip.mp4",
    "application/octet-stream": "clip.mp4",
    "application/offset+octet-stream": "clip.mp4",
    "image/jpeg": "image.jpeg",
    "image/png": "image.png",
    "image/webp": "image.webp",
    "image/avif": "image.avif",
    "image/tiff": "image.tiff",
    "image/gif": "image.gif",
}.items():
    schemathesis.openapi.media_type(media_type, real_or_not(name))


def nowhere(address: object) -> object:
    """The same address at a host that cannot be (RFC 6761, 6.4)."""
    if not isinstance(address, str):
        return address
    try:
        parts = urlsplit(address)
        return parts._replace(netloc="host.invalid").geturl() if parts.netloc else address
    except ValueError:
        return address


def sent_nowhere(wishes: object) -> object:
    if not isinstance(wishes, dict):
        return wishes
    return {name: nowhere(value) if name in ("url", "webhook") else value for name, value in wishes.items()}


@schemathesis.hook
def map_query(context, query):
    return sent_nowhere(query)


@schemathesis.hook
def map_body(context, body):
    return sent_nowhere(body)
