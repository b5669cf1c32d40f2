"""What a session is taken up with in another process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from .errors import LeadlineError

_DELIVERIES = ("latest", "lossless", "adaptive")


@dataclass(frozen=True)
class StreamHandle:
    """A place in a session that the server keeps: `connect(url, resume=handle)` goes on from there.

    **A secret**: whoever has it has the session.
    """

    session: str
    token: str = field(repr=False)
    epoch: int
    seq: int
    """With `epoch`, of the last outcome that was received; -1: none was."""
    delivery: str

    def to_dict(self) -> dict[str, Any]:
        """As plain values, to be kept as JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> StreamHandle:
        """What `to_dict` gave. Raises REQUEST_INVALID."""
        for name, kind in (("session", str), ("token", str), ("epoch", int), ("seq", int), ("delivery", str)):
            value = values.get(name)
            if not isinstance(value, kind) or isinstance(value, bool):
                # The value is not told: it might be the token in another place.
                detail = f'"{name}" of a handle is a {type(value).__name__}, not the {kind.__name__} that to_dict gave'
                raise LeadlineError("REQUEST_INVALID", detail)
        if values["delivery"] not in _DELIVERIES:
            detail = f'"delivery" of a handle is none of {", ".join(_DELIVERIES)}; it must be what to_dict gave'
            raise LeadlineError("REQUEST_INVALID", detail)
        return cls(values["session"], values["token"], values["epoch"], values["seq"], values["delivery"])
