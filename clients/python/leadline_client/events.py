"""What a stream tells beside its outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import LeadlineError


@dataclass(frozen=True)
class Continued:
    """What a session that was opened with a context has of it."""

    continuity: str
    """`exact`: depth will be what the first session would have given."""
    digest: str | None
    seq: int
    """The stream numbers its frames from behind it."""


@dataclass(frozen=True)
class TakenUp:
    """What a session that was taken up again has of its past."""

    continuity: str
    """`exact`: as if nothing had happened. Else its worker was lost, and `Recovered` tells what came of it."""
    digest: str | None
    seq: int
    """Of the last outcome that was made; -1: none was."""
    after: int
    """The highest seq that the servers have."""


@dataclass(frozen=True)
class Ready:
    """The session as the server opened it."""

    session: str
    model: str
    model_digest: str
    license: str
    quantity: str
    mode: str
    cache_size: int
    epoch: int
    max_in_flight: int
    max_frame_bytes: int
    max_pixels: int
    idle_timeout_ms: int
    grace_ms: int
    """How long the session is kept without a socket; 0: it cannot be resumed."""
    continued: Continued | None
    """Of a session that goes on from a context."""
    resumed: TakenUp | None
    """Of a session that was there before its newest socket."""

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> Ready:
        limits = message["limits"]
        continued = message.get("continued")
        resumed = message.get("resumed")
        return cls(
            session=message["session"],
            model=message["model"],
            model_digest=message["modelDigest"],
            license=message["license"],
            quantity=message["quantity"],
            mode=message["mode"],
            cache_size=message["cacheSize"],
            epoch=message["epoch"],
            max_in_flight=limits["maxInFlight"],
            max_frame_bytes=limits["maxFrameBytes"],
            max_pixels=limits["maxPixels"],
            idle_timeout_ms=limits["idleTimeoutMs"],
            grace_ms=limits["graceMs"],
            continued=continued and Continued(continued["continuity"], continued["digest"], continued["seq"]),
            resumed=resumed and TakenUp(resumed["continuity"], resumed["digest"], resumed["seq"], resumed["after"]),
        )


@dataclass(frozen=True)
class Summary:
    """Of every frame that was taken, over every socket."""

    frames: int
    results: int
    drops: int
    errors: int
    seconds: float


@dataclass(frozen=True)
class Lost:
    """The socket is gone; the stream tries to go on over another one for `grace_ms`."""

    error: LeadlineError
    grace_ms: int


@dataclass(frozen=True)
class Resumed:
    """The stream goes on over another socket."""

    continuity: str
    """`exact`: as if nothing had happened; `rebuilt`: made anew from the last frames; `new`: the past is gone."""
    epoch: int
    attempts: int
    ms: float
    """For how long nothing could be sent or received."""
    resent: int
    """Frames that were sent again: the server had not got them."""
    replayed: int
    """Frames of the past that the server asked for again."""


@dataclass(frozen=True)
class GoAway:
    """The server leaves in a while; the stream moves to another one meanwhile."""

    time_left_ms: int


@dataclass(frozen=True)
class Advice:
    """With delivery `adaptive`: the server takes so many frames a second. `send` keeps to it, and leaves others out."""

    fps: float | None
    """None: as many as wished."""
    unsettled: int
    """Frames that were on their way when it was said."""


@dataclass(frozen=True)
class Notice:
    """The session leaves device memory after the deadline, unless a frame comes; "idle" or "capacity" says why."""

    reason: str
    bytes: int
    deadline_ms: int


@dataclass(frozen=True)
class Parked:
    """The session has left device memory; its next frame brings it back as it was."""

    reason: str
    bytes: int


@dataclass(frozen=True)
class Alignment:
    """How the depth of a cache made anew lies to that before: times `scale`, plus `offset`, less with each window."""

    scale: float
    offset: float
    residual: float
    """The mean difference that stayed, as a share of the extent of a map."""


@dataclass(frozen=True)
class Recovered:
    """The servers lost the latent cache and put another in its place; from frame `seq` on it is this one."""

    continuity: str
    epoch: int
    seq: int
    alignment: Alignment | None
    """None: depth could not be compared with that before."""


@dataclass(frozen=True)
class Failed:
    """The stream is over. Reading and sending raise the same error."""

    error: LeadlineError


Told = Advice | Recovered | GoAway | Notice | Parked
"""By the server."""
ConnectionEvent = Told | Lost | Resumed | Failed


def told_by(message: Mapping[str, Any]) -> Told:
    """What a message of one of these types tells."""
    kind = message["type"]
    if kind == "goAway":
        return GoAway(message["timeLeftMs"])
    if kind == "advice":
        return Advice(message["fps"], message["unsettled"])
    if kind == "notice":
        return Notice(message["reason"], message["bytes"], message["deadlineMs"])
    if kind == "parked":
        return Parked(message["reason"], message["bytes"])
    given = message.get("alignment")
    alignment = given and Alignment(given["scale"], given["offset"], given["residual"])
    return Recovered(message["continuity"], message["epoch"], message["seq"], alignment)
