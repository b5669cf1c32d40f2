"""Server-sent events (WHATWG HTML, 9.2), as far as a clip needs them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Event(NamedTuple):
    id: str
    data: str


def events_of(lines: Iterable[bytes]) -> Iterator[Event]:
    """Events as they come. One that breaks off is not told, nor are comments and words about coming back."""
    fields: dict[str, str] = {}
    for line in lines:
        if not line.endswith(b"\n"):
            return
        name, _, value = line.decode("utf-8").rstrip("\r\n").partition(":")
        if name or value:
            fields[name] = value.removeprefix(" ")
            continue
        if "data" in fields:
            yield Event(fields.get("id", ""), fields["data"])
        fields = {}
