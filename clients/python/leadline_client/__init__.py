"""Live video depth from a Leadline server: `connect`, or `connect_async` for asyncio."""

from .aio import AsyncStream, connect_async
from .errors import LeadlineError
from .events import (
    Advice,
    Alignment,
    ConnectionEvent,
    Continued,
    Failed,
    GoAway,
    Lost,
    Notice,
    Parked,
    Ready,
    Recovered,
    Resumed,
    Summary,
    TakenUp,
)
from .handle import StreamHandle
from .outcome import DepthMap, Drop, FailedFrame, Outcome
from .protocol import Header
from .sync import Stream, connect

__all__ = [
    "Advice",
    "Alignment",
    "AsyncStream",
    "ConnectionEvent",
    "Continued",
    "DepthMap",
    "Drop",
    "Failed",
    "FailedFrame",
    "GoAway",
    "Header",
    "LeadlineError",
    "Lost",
    "Notice",
    "Outcome",
    "Parked",
    "Ready",
    "Recovered",
    "Resumed",
    "Stream",
    "StreamHandle",
    "Summary",
    "TakenUp",
    "connect",
    "connect_async",
]
