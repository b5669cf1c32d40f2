"""Failures with a name, as in the server's registry (src/errors.ts); PROTOCOL.md says when each comes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class ErrorDefinition(NamedTuple):
    close: int | None
    """WebSocket close code; None: it fails one frame, or is never on a stream."""
    temporary: bool
    """Whether the same may succeed later."""
    outlived: bool = False
    """Whether a resumable session goes on after it."""


# Those that a stream or a clip may meet. A test holds them to the registry's.
ERRORS: Mapping[str, ErrorDefinition] = {
    "CONFIG_INVALID": ErrorDefinition(4522, False),
    "MESSAGE_MALFORMED": ErrorDefinition(4590, False),
    "CONFIG_EXPECTED": ErrorDefinition(4590, False),
    "CONFIG_REPEATED": ErrorDefinition(4590, False),
    "CONFIG_TIMEOUT": ErrorDefinition(4408, True),
    "FRAME_MALFORMED": ErrorDefinition(4590, False),
    "FRAME_OUT_OF_ORDER": ErrorDefinition(4590, False),
    "FLOW_CONTROL": ErrorDefinition(4429, True),
    "FRAME_EMPTY": ErrorDefinition(None, False),
    "FRAME_TOO_LARGE": ErrorDefinition(None, False),
    "FRAME_UNSUPPORTED": ErrorDefinition(None, False),
    "FRAME_DECODE_FAILED": ErrorDefinition(None, False),
    "MODEL_UNKNOWN": ErrorDefinition(4522, False),
    "MODEL_MODE_UNSUPPORTED": ErrorDefinition(4522, False),
    "CONTEXT_INVALID": ErrorDefinition(4522, False),
    "CONTEXT_TOO_LARGE": ErrorDefinition(4522, False),
    "MODEL_LICENSE": ErrorDefinition(4503, False),
    "MODEL_FILE_INVALID": ErrorDefinition(4522, False),
    "NO_WORKER": ErrorDefinition(4453, True),
    "NO_CAPACITY": ErrorDefinition(4453, True),
    "WORKER_LOST": ErrorDefinition(4440, True),
    "EXECUTOR_FAILED": ErrorDefinition(4440, True),
    "MEMORY_EXHAUSTED": ErrorDefinition(4453, True),
    "OVERLOADED": ErrorDefinition(4453, True),
    "STORE_UNAVAILABLE": ErrorDefinition(4452, True),
    "DRAINING": ErrorDefinition(4441, True, True),
    "SESSION_IDLE": ErrorDefinition(4410, True),
    "WORKER_UNKNOWN": ErrorDefinition(4590, False),
    "SESSION_UNKNOWN": ErrorDefinition(4590, False),
    "SESSION_REPLACED": ErrorDefinition(4509, False, True),
    "SESSION_ENDED": ErrorDefinition(4510, False),
    "SLOW_CONSUMER": ErrorDefinition(4413, True, True),
    "CONNECTION_LOST": ErrorDefinition(1006, True, True),
    "ANSWER_UNEXPECTED": ErrorDefinition(1011, False),
    "LIMIT_REACHED": ErrorDefinition(4430, True),
    "UNAUTHENTICATED": ErrorDefinition(4501, False),
    "FORBIDDEN": ErrorDefinition(4503, False),
    "ORIGIN_FORBIDDEN": ErrorDefinition(4503, False),
    "HOST_FORBIDDEN": ErrorDefinition(4503, False),
    "REQUEST_INVALID": ErrorDefinition(4590, False),
    "REQUEST_TIMEOUT": ErrorDefinition(4408, True),
    "METHOD_UNKNOWN": ErrorDefinition(4590, False),
    "UPGRADE_REQUIRED": ErrorDefinition(4590, False),
    "HEADERS_TOO_LARGE": ErrorDefinition(4590, False),
    "ROUTE_UNKNOWN": ErrorDefinition(4590, False),
    "INTERNAL": ErrorDefinition(1011, True),
    "CLIP_INVALID": ErrorDefinition(4515, False),
    "CLIP_TOO_LARGE": ErrorDefinition(4517, False),
    "CLIP_UNKNOWN": ErrorDefinition(4590, False),
    "CLIP_NOT_READY": ErrorDefinition(4590, True),
    "CLIP_FAILED": ErrorDefinition(4590, False),
    "CLIPS_BUSY": ErrorDefinition(4453, True),
    "WEBHOOK_UNKNOWN": ErrorDefinition(4590, False),
    "IDEMPOTENCY_PENDING": ErrorDefinition(4590, True),
    "IDEMPOTENCY_KEY_REUSED": ErrorDefinition(4590, False),
    "UPLOAD_UNKNOWN": ErrorDefinition(4590, False),
    "UPLOAD_OFFSET": ErrorDefinition(4590, False),
    "UPLOAD_TAKEN": ErrorDefinition(4590, True),
    "TUS_VERSION": ErrorDefinition(4590, False),
    "CONTENT_TYPE_UNKNOWN": ErrorDefinition(4590, False),
    "STORAGE_FULL": ErrorDefinition(4453, True),
    "STORAGE_UNUSABLE": ErrorDefinition(4453, True),
    "TOOL_MISSING": ErrorDefinition(1011, False),
    "DATA_INVALID": ErrorDefinition(4522, False),
    "URL_FORBIDDEN": ErrorDefinition(4590, False),
    "DOWNLOAD_FAILED": ErrorDefinition(1011, False),
    "RANGE_UNSATISFIABLE": ErrorDefinition(4590, False),
    "PRECONDITION_FAILED": ErrorDefinition(4590, False),
}


class LeadlineError(Exception):
    """`detail` says which value was refused and what to do about it."""

    def __init__(self, code: str, detail: str, *, retry_after_ms: int | None = None) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.retry_after_ms = retry_after_ms
        """How long the server asks to wait before the same is tried again."""

    @property
    def temporary(self) -> bool:
        """Whether the same may succeed later."""
        return ERRORS[self.code].temporary

    @property
    def outlived(self) -> bool:
        """Whether a session that can be resumed goes on after it."""
        return ERRORS[self.code].outlived


def server_failure(code: str, detail: str, retry_after_ms: int | None = None) -> LeadlineError:
    """What a server says of itself. A code of a newer server becomes INTERNAL and stays in the text."""
    if code in ERRORS:
        return LeadlineError(code, detail, retry_after_ms=retry_after_ms)
    return LeadlineError("INTERNAL", f"{code}: {detail}", retry_after_ms=retry_after_ms)


_TOO_LARGE = (
    'A message was larger than the server takes, which "ready" says in limits.maxFrameBytes; send smaller frames, or '
    "raise LEADLINE_MAX_FRAME_BYTES"
)


def close_failure(code: int, reason: str) -> LeadlineError:
    """What a socket's end means when no `error` message came before."""
    if reason in ERRORS:
        return LeadlineError(reason, f"The server closed the stream with code {code}")
    if code == 1009:
        return LeadlineError("FRAME_TOO_LARGE", _TOO_LARGE)
    known = next((name for name, error in ERRORS.items() if code >= 4000 and error.close == code), "CONNECTION_LOST")
    words = f" ({reason})" if reason else ""
    return LeadlineError(known, f"The connection was closed with code {code}{words}")
