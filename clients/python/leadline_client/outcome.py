"""How a frame ends: a depth map, a drop or a failure, exactly one of them for each frame that was sent."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import LeadlineError
from .protocol import FLAG_BLANK, FLAG_DROPPED_BEFORE, FLAG_FIRST, Header

_STORED: dict[str, np.dtype[Any]] = {
    "u8": np.dtype("u1"),
    "u16": np.dtype("<u2"),
    "f16": np.dtype("<f2"),
    "f32": np.dtype("<f4"),
}


@dataclass(frozen=True)
class DepthMap:
    """What the server made of a frame. Arrays are height x width, and made only when they are asked for."""

    header: Header
    payload: memoryview
    latency_ms: float
    """From `send` to its arrival here."""

    @property
    def seq(self) -> int:
        return self.header.seq

    @property
    def epoch(self) -> int:
        """One life of the latent cache: the scale of relative depth holds within it, and may jump to the next."""
        return self.header.epoch

    @property
    def quantity(self) -> str:
        """`relative-inverse-depth`: larger is nearer, without a unit. `metric-depth`: larger is farther."""
        return self.header.quantity

    @property
    def is_first(self) -> bool:
        return bool(self.header.flags & FLAG_FIRST)

    @property
    def is_blank(self) -> bool:
        """The frame shows nothing: its depth means little, and no later one depends on it."""
        return bool(self.header.flags & FLAG_BLANK)

    @property
    def is_after_drop(self) -> bool:
        return bool(self.header.flags & FLAG_DROPPED_BEFORE)

    @cached_property
    def stored(self) -> npt.NDArray[np.generic]:
        """The values as they came, read-only: value = stored * header.scale + header.offset.

        Without a copy, unless they came compressed. Raises FRAME_UNSUPPORTED for the formats that are pictures
        (png16, jpeg, webp), whose bytes are `payload`.
        """
        header = self.header
        if header.codec == "deflate":
            return inflated(self.payload, header.width, header.height)
        if header.codec != "raw":
            raise LeadlineError(
                "FRAME_UNSUPPORTED",
                f"A depth map as {header.codec} has no plain values; ask for format u16, f16 or f32",
            )
        dtype = _STORED[header.dtype]
        if len(self.payload) != header.width * header.height * dtype.itemsize:
            raise LeadlineError(
                "FRAME_MALFORMED",
                f"A depth map of {header.width}x{header.height} {header.dtype} cannot have {len(self.payload)} bytes",
            )
        stored: npt.NDArray[np.generic] = np.frombuffer(self.payload, dtype).reshape(header.height, header.width)
        stored.flags.writeable = False
        return stored

    @cached_property
    def values(self) -> npt.NDArray[np.float32]:
        """The values as float32, in `quantity`."""
        # In double precision until the end, as the JavaScript SDK does: both give the same bits.
        wide = self.stored.astype(np.float64) * self.header.scale + self.header.offset
        return wide.astype(np.float32)


def inflated(payload: memoryview, width: int, height: int) -> npt.NDArray[np.generic]:
    """A map of u16 that came compressed. Raises FRAME_MALFORMED. PROTOCOL.md tells what the bytes mean."""
    count = width * height
    stream = zlib.decompressobj()
    try:
        planes = np.frombuffer(stream.decompress(payload, 2 * count + 1), np.uint8)
    except zlib.error:
        planes = np.empty(0, np.uint8)
    if not stream.eof or len(planes) != 2 * count:
        raise LeadlineError(
            "FRAME_MALFORMED", f"{len(payload)} bytes are no deflated depth map of {width}x{height}"
        )
    folded = (planes[:count].astype(np.uint16) << 8) | planes[count:]
    differences = (folded >> 1) ^ (0 - (folded & 1)).astype(np.uint16)
    rows = differences.reshape(height, width).cumsum(axis=1, dtype=np.uint16)
    stored: npt.NDArray[np.generic] = rows.cumsum(axis=0, dtype=np.uint16)
    stored.flags.writeable = False
    return stored


@dataclass(frozen=True)
class Drop:
    seq: int
    reason: str
    latency_ms: float


@dataclass(frozen=True)
class FailedFrame:
    """The frame failed; the session goes on, unless reading raises next."""

    seq: int
    error: LeadlineError
    latency_ms: float


Outcome = DepthMap | Drop | FailedFrame
