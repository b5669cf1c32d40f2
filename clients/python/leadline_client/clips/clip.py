"""A clip as the server tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from ..errors import LeadlineError, server_failure


@dataclass(frozen=True)
class Clip:
    id: str
    state: str
    """`queued`, `running`, `done`, `failed` or `cancelled`."""
    frames: int
    """Whose depth is known."""
    frame_count: int | None
    """Of the whole video; None: the file does not say."""
    failure: LeadlineError | None
    url: str
    results: Mapping[str, str]
    """Addresses by name, as soon as it is done."""
    document: Mapping[str, Any]
    """All that the server says; openapi.yaml has its fields."""

    @property
    def has_ended(self) -> bool:
        return self.state in ("done", "failed", "cancelled")


def clip_of(document: Mapping[str, Any], at: str) -> Clip:
    """From a document that came from the address `at`, to which its links are relative."""
    links, failure = document["links"], document["failure"]
    return Clip(
        id=document["id"],
        state=document["state"],
        frames=document["progress"]["frames"],
        frame_count=document["progress"]["frameCount"],
        failure=None if failure is None else server_failure(failure["code"], failure["detail"]),
        url=urljoin(at, links["self"]),
        results={name: urljoin(at, link) for name, link in links["results"].items()},
        document=document,
    )
