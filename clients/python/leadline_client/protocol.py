"""The wire: the binary header and the control messages of `leadline.v1`. PROTOCOL.md tells when each may be sent."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import LeadlineError

SUBPROTOCOL = "leadline.v1"
# Offered beside it: what follows is a ticket.
TICKET_PREFIX = "leadline.ticket."
HEADER_BYTES = 64
MAX_SEQ = 2**53 - 1

KIND_FRAME = 1
KIND_DEPTH = 2
KIND_CONTEXT = 3
CODECS = {"raw": 0, "jpeg": 1, "webp": 2, "png": 3, "rgb24": 4, "nv12": 5, "avif": 6, "tiff": 7, "gif": 8, "deflate": 9}
DTYPES = {"u8": 0, "u16": 1, "f16": 2, "f32": 3}
QUANTITIES = {"none": 0, "relative-inverse-depth": 1, "metric-depth": 2}
FLAG_FIRST = 1
FLAG_DROPPED_BEFORE = 2
FLAG_BLANK = 4
FLAG_HISTORY = 8

_MAGIC = 0x4C4C
_VERSION = 1
_LAYOUT = struct.Struct("<HBBHHQQIHHHHffffIII")
_FLAGS_AT = 6
_CODEC_NAMES = {number: name for name, number in CODECS.items()}
_DTYPE_NAMES = {number: name for name, number in DTYPES.items()}
_QUANTITY_NAMES = {number: name for name, number in QUANTITIES.items()}


@dataclass(frozen=True)
class Header:
    """The fixed header of a binary message."""

    kind: int
    seq: int
    timestamp_us: int
    """The client's clock in microseconds, echoed untouched."""
    codec: str
    width: int = 0
    height: int = 0
    flags: int = 0
    epoch: int = 0
    dtype: str = "u8"
    scale: float = 1.0
    """value = stored * scale + offset"""
    offset: float = 0.0
    range_min: float = 0.0
    """The range of values that a display should map to its ends."""
    range_max: float = 0.0
    quantity: str = "none"
    queue_us: int = 0
    compute_us: int = 0


def encode_message(header: Header, payload: bytes | bytearray | memoryview) -> bytes:
    """Header and payload as one message."""
    packed = _LAYOUT.pack(
        *(_MAGIC, _VERSION, header.kind, HEADER_BYTES, header.flags, header.seq, header.timestamp_us, header.epoch),
        *(CODECS[header.codec], DTYPES[header.dtype], header.width, header.height),
        *(header.scale, header.offset, header.range_min, header.range_max),
        *(QUANTITIES[header.quantity], header.queue_us, header.compute_us),
    )
    return b"".join((packed, payload))


def decode_message(message: bytes) -> tuple[Header, memoryview]:
    """Header and payload of a message of any kind. Raises FRAME_MALFORMED with the value that is wrong."""
    if len(message) < HEADER_BYTES:
        raise _malformed(f"{len(message)} bytes are fewer than the {HEADER_BYTES} of the header")
    (magic, version, kind, length, flags, seq, timestamp_us, epoch, codec, dtype, width, height, *rest) = (
        _LAYOUT.unpack_from(message)
    )
    scale, offset, range_min, range_max, quantity, queue_us, compute_us = rest
    if magic != _MAGIC:
        raise _malformed(f'it starts with {magic:#x} instead of "LL" (0x4c4c)')
    if version != _VERSION:
        raise _malformed(f"version {version} is not {_VERSION}")
    if length < HEADER_BYTES or length % 8 != 0 or length > len(message):
        raise _malformed(
            f"header length {length} is not a multiple of 8 from {HEADER_BYTES} up to the message's "
            f"{len(message)} bytes"
        )
    for name, value in (("seq", seq), ("timestamp", timestamp_us)):
        if value > MAX_SEQ:
            raise _malformed(f"{name} {value} is above 2^53 - 1")
    header = Header(
        kind=kind,
        seq=seq,
        timestamp_us=timestamp_us,
        codec=_named(_CODEC_NAMES, codec, "codec"),
        width=width,
        height=height,
        flags=flags,
        epoch=epoch,
        dtype=_named(_DTYPE_NAMES, dtype, "dtype"),
        scale=scale,
        offset=offset,
        range_min=range_min,
        range_max=range_max,
        quantity=_named(_QUANTITY_NAMES, quantity, "quantity"),
        queue_us=queue_us,
        compute_us=compute_us,
    )
    return header, memoryview(message)[length:]


def as_history(message: bytes) -> bytes:
    """The frame as it was sent, marked as one that had its outcome already."""
    marked = bytearray(message)
    (flags,) = struct.unpack_from("<H", marked, _FLAGS_AT)
    struct.pack_into("<H", marked, _FLAGS_AT, flags | FLAG_HISTORY)
    return bytes(marked)


def encode_control(message: Mapping[str, Any]) -> str:
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False)


_INT = "an integer"
_TEXT = "a string"
_NUMBER = "a number"
_FLAG = "a boolean"
_INT_OR_NULL = "an integer or null"
_NUMBER_OR_NULL = "a number or null"
_TEXT_OR_NULL = "a string or null"
_CONTINUITY = ("exact", "rebuilt", "new")
_QUANTITY = ("relative-inverse-depth", "metric-depth")
_DROPS = ("superseded", "closed", "reset", "unacknowledged")
_RESETS = ("client", "resolution", "sceneCut")
_PARKS = ("idle", "capacity")
_ID = "a string of at most 64 characters"

# What each message of a server must have. A name that ends with "?" may be left out.
_SERVER_MESSAGES: Mapping[str, Mapping[str, Any]] = {
    "ready": {
        **{"session": _TEXT, "resumeToken": _TEXT, "epoch": _INT, "model": _TEXT, "modelDigest": _TEXT},
        **{"license": _TEXT, "quantity": _QUANTITY, "mode": _TEXT, "cacheSize": _INT},
        "limits": {
            **{"maxInFlight": _INT, "maxFrameBytes": _INT, "maxPixels": _INT, "idleTimeoutMs": _INT, "graceMs": _INT}
        },
        "resumed?": {
            **{"continuity": _CONTINUITY, "digest": _TEXT_OR_NULL, "seq": _INT, "after": _INT},
            "replay?": {"frames": _INT, "bytes": _INT},
        },
        "continued?": {"continuity": _CONTINUITY, "digest": _TEXT_OR_NULL, "seq": _INT},
    },
    "reset": {"epoch": _INT, "seq": _INT_OR_NULL, "reason": _RESETS},
    "recovered": {
        **{"epoch": _INT, "seq": _INT, "continuity": _CONTINUITY},
        "alignment?": {"scale": _NUMBER, "offset": _NUMBER, "residual": _NUMBER},
    },
    "drop": {"seq": _INT, "reason": _DROPS, "seen?": _FLAG},
    "updated": {"id": _ID},
    "flushed": {"id": _ID, "epoch?": _INT, "seq?": _INT, "digest?": _TEXT_OR_NULL},
    "checkpoint": {
        **{"id": _ID, "seq?": _INT, "bytes?": _INT},
        "failure?": {"code": _TEXT, "detail": _TEXT, "temporary": _FLAG},
    },
    "pong": {"id?": _ID},
    "notice": {"reason": _PARKS, "bytes": _INT, "deadlineMs": _INT},
    "parked": {"reason": _PARKS, "bytes": _INT},
    "advice": {"fps": _NUMBER_OR_NULL, "unsettled": _INT},
    "goAway": {"timeLeftMs": _INT},
    "detached": {"graceMs": _INT},
    "error": {
        **{"code": _TEXT, "title": _TEXT, "detail": _TEXT, "temporary": _FLAG, "seq?": _INT, "retryAfterMs?": _INT},
    },
    "summary": {"frames": _INT, "results": _INT, "drops": _INT, "errors": _INT, "seconds": _NUMBER},
}


def parse_server_message(text: str) -> dict[str, Any] | None:
    """A control message of a server; None if its type is not known, so that this survives a newer server.

    Raises MESSAGE_MALFORMED.
    """
    try:
        message: Any = json.loads(text, parse_constant=_not_json)
    except ValueError:
        raise LeadlineError(
            "MESSAGE_MALFORMED", f'Text messages are JSON control messages; got "{text[:40]}"'
        ) from None
    kind = message.get("type") if isinstance(message, dict) else None
    if not isinstance(kind, str):
        raise LeadlineError("MESSAGE_MALFORMED", f'"type" is {kind!r}; it must be a string')
    if kind not in _SERVER_MESSAGES:
        return None
    found: dict[str, Any] = message
    _check(found, _SERVER_MESSAGES[kind], "")
    return found


def _check(value: Any, wanted: Any, where: str) -> None:
    if isinstance(wanted, Mapping):
        if not isinstance(value, dict):
            raise _wrong(where, value, "an object")
        for key, member in wanted.items():
            name = key.removesuffix("?")
            if name in value:
                _check(value[name], member, f"{where}/{name}")
            elif name == key:
                raise LeadlineError("MESSAGE_MALFORMED", f"{where}/{name} is missing")
    elif isinstance(wanted, tuple):
        if value not in wanted:
            raise _wrong(where, value, f"one of {', '.join(wanted)}")
    elif not _is(value, wanted):
        raise _wrong(where, value, wanted)


def _is(value: Any, wanted: str) -> bool:
    if value is None:
        return wanted.endswith("or null")
    if wanted == _FLAG:
        return isinstance(value, bool)
    if wanted in (_TEXT, _TEXT_OR_NULL):
        return isinstance(value, str)
    if wanted == _ID:
        return isinstance(value, str) and len(value) <= 64
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    # JSON does not tell 1.0 from 1.
    return wanted in (_NUMBER, _NUMBER_OR_NULL) or float(value).is_integer()


def _not_json(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _wrong(where: str, value: Any, wanted: str) -> LeadlineError:
    return LeadlineError("MESSAGE_MALFORMED", f"{where} is {value!r:.80}; it must be {wanted}")


def _named(names: Mapping[int, str], number: int, field: str) -> str:
    if number not in names:
        raise _malformed(f"{field} {number} is not known")
    return names[number]


def _malformed(reason: str) -> LeadlineError:
    return LeadlineError("FRAME_MALFORMED", f"Not a Leadline frame: {reason}")
