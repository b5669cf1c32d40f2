"""A stream without its sockets: what came in, what is to go out, what the application may do. Time is an argument."""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .checkpoints import Checkpoints
from .errors import LeadlineError
from .events import Ready, Summary, TakenUp, Told
from .flight import ReplayRing
from .handle import StreamHandle
from .incoming import Incoming
from .outcome import Outcome
from .protocol import (
    HEADER_BYTES,
    KIND_CONTEXT,
    KIND_DEPTH,
    KIND_FRAME,
    Header,
    decode_message,
    encode_control,
    encode_message,
    parse_server_message,
)
from .receipts import Receipts
from .upstream import Upstream

# How many windows of frames make a latent cache anew: docs/decisions/0011-sessions-outlive-the-executor.md.
_REPLAY_WINDOWS = 3


@dataclass(frozen=True)
class Frame:
    """A frame to send: an encoded image, or pixels row by row (rgb24, nv12), whose size must be told."""

    data: bytes | bytearray | memoryview
    codec: str
    width: int = 0
    height: int = 0
    timestamp_us: int | None = None
    """Your clock; comes back in the result's header. Default: time of sending."""


class Session:
    """One session over one socket after the other. Whoever has it brings what comes, and pulls what is to go."""

    def __init__(
        self,
        config: Mapping[str, Any],
        *,
        read_ahead: int | None = None,
        context: bytes | None = None,
        resumable: bool = True,
        keep_bytes: int = 2**26,
        replay_bytes: int = 2**24,
        resume: StreamHandle | None = None,
    ) -> None:
        self._delivery = resume.delivery if resume else config.get("delivery", "latest")
        lossless = self._delivery == "lossless"
        self._config = dict(config)
        self._resumable = resumable
        self._receipts = Receipts(read_ahead if read_ahead is not None else 8 if lossless else 2, self._say)
        self._up = Upstream(lossless=lossless, keep_bytes=keep_bytes, tell=self._receipts.tell)
        self._ring = ReplayRing(replay_bytes)
        self._context = context
        # Answers that a former process had may come again, and are not those to what is asked here.
        self._ids = f"{secrets.token_hex(4)}-" if resume else ""
        # Of the flush that tells when a former process's frames have their outcomes.
        self._former_id = f"{self._ids}former"
        self._checkpoints = Checkpoints(
            self._ask_for_checkpoint,
            lambda checkpoint_id: self._up.was_answered("checkpoint", checkpoint_id),
            prefix=self._ids,
        )
        self._resume = resume
        self._token = resume.token if resume else ""
        if resume:
            self._receipts.position = (resume.epoch, resume.seq)
        self._num_flushes = 0
        self.ready: Ready | None = None
        self.flushes: set[str] = set()
        """Asked for, not answered yet."""
        self.told: deque[Told] = deque()
        """For the application, or whoever has the socket."""
        self._incoming = Incoming(
            self._up,
            self._receipts,
            self._ring,
            self._checkpoints,
            self.flushes,
            self.told,
            former_id=self._former_id,
            on_settled=self._hurry,
            on_summary=lambda now: self.end(None, now),
            on_detached=self._on_detached,
        )
        self.closing = False
        self.leaving = False
        """For another process to go on with the session."""
        self.left = False
        self.ended = False
        self.error: LeadlineError | None = None
        """Why it ended; None after a close."""

    # The socket's side.

    def hello(self) -> str:
        """The first message over a new socket."""
        session = self.ready.session if self.ready else self._resume.session if self._resume else None
        if session is None:
            message: dict[str, Any] = {"type": "config", **self._config, "credit": self._receipts.credit(0)}
            if self._context is not None:
                message["context"] = {"bytes": len(self._context)}
            return encode_control({**message, "resumable": True} if self._resumable else message)
        epoch, seq = self._receipts.position
        resume = {"session": session, "token": self._token, "epoch": epoch, "seq": seq}
        must_come = self.unsettled if self.closing or self.flushes or self._checkpoints.is_waiting else 0
        return encode_control({"type": "config", "resume": resume, "credit": self._receipts.credit(must_come)})

    @property
    def context(self) -> bytes:
        """What goes behind the first message over the first socket."""
        return self._context if self.ready is None and self._context is not None else b""

    def opened(self, message: Mapping[str, Any], now: float) -> tuple[int, int]:
        """`ready` came over a new socket, which is the stream's from now on. Frames to send again, and of the past."""
        is_first = self.ready is None
        self.ready = Ready.from_message(message)
        self._token = message["resumeToken"]
        self._receipts.epoch = self.ready.epoch
        self._receipts.lose()
        if is_first:
            self._context = None
            self._up.next_seq = message.get("continued", {}).get("seq", -1) + 1
            if self._resume:
                self._inherit(self._resume, self.ready.resumed, now)
            self._receipts.since = now
            self._receipts.acknowledges = self.ready.grace_ms > 0
            if self.ready.mode != "single" and self.ready.grace_ms > 0:
                self._ring.keep(_REPLAY_WINDOWS * self.ready.cache_size)
        self._up.open(self.ready.max_in_flight)
        resumed = message.get("resumed", {})
        history: list[bytes] = []
        if "replay" in resumed:
            history = self._ring.replay(resumed["replay"]["frames"], resumed["replay"]["bytes"])
            for frame in history:
                self._up.say(frame)
            self._up.say({"type": "replayed"})
        self._receipts.greeted()
        return self._up.send_again(resumed.get("after", -1), now), len(history)

    def lost(self) -> None:
        """The socket is gone. What is taken meanwhile waits."""
        self._up.lose()
        self._receipts.lose()
        self._checkpoints.lose()

    def next_message(self) -> str | bytes | None:
        """What the socket is to send next; to be asked for only when it has taken what was before."""
        return self._up.next_message()

    def receive(self, data: str | bytes, now: float) -> None:
        """A message came. Raises what ends the socket, and the session with it unless `error.outlived`."""
        if isinstance(data, str):
            message = parse_server_message(data)
            if message is not None:
                self._incoming.control(message, now)
            return
        header, payload = decode_message(data)
        if header.kind == KIND_DEPTH:
            self._incoming.depth(header, payload, now)
        elif header.kind == KIND_CONTEXT:
            self._checkpoints.part(header, payload)

    @property
    def due(self) -> float | None:
        """When `tick` has something to do."""
        return self._receipts.ack_at

    def tick(self, now: float) -> None:
        self._receipts.tick(now)

    def end(self, error: LeadlineError | None, now: float) -> None:
        """Settle everything that is open, once: after a close with None, else with what went wrong."""
        if self.ended:
            return
        # The server has freed the session, and only its last words were lost.
        if error is not None and error.code == "SESSION_UNKNOWN" and self.closing and self.unsettled == 0:
            error = None
        self.ended = True
        self.error = error
        self.lost()
        if self.left:
            self._checkpoints.end(_left_unanswered())
            return self._up.leave()
        failure = error or LeadlineError("CONNECTION_LOST", "The stream was closed")
        self._up.end(failure, now)
        self._checkpoints.end(failure)

    # The application's side.

    @property
    def unsettled(self) -> int:
        """Frames sent whose outcome is not here yet."""
        return self._up.unsettled

    @property
    def is_open(self) -> bool:
        """Whether anything may be sent."""
        return not (self.closing or self.leaving or self.ended)

    @property
    def handle(self) -> StreamHandle:
        """Where the stream is."""
        if self.ready is None:
            raise LeadlineError("CONNECTION_LOST", "The stream is not open yet")
        return StreamHandle(self.ready.session, self._token, *self._receipts.position, self._delivery)

    @property
    def has_room(self) -> bool:
        """Whether a frame may be sent now."""
        return self._up.has_room

    def check(self, frame: Frame) -> None:
        """Raises what a frame is refused with before it is sent."""
        if self.error is not None:
            raise self.error
        if not self.is_open or self.ready is None:
            raise LeadlineError("REQUEST_INVALID", "The stream is not open; no frame can be sent")
        size = HEADER_BYTES + memoryview(frame.data).nbytes
        if size > self.ready.max_frame_bytes:
            raise LeadlineError(
                "FRAME_TOO_LARGE",
                f"A frame of {size} bytes with its header; the server takes at most {self.ready.max_frame_bytes}. "
                "Send it smaller, or as jpeg",
            )

    def send(self, frame: Frame, now: float) -> int:
        """Take a frame, once there is room, and give its seq."""
        self.check(frame)
        timestamp_us = frame.timestamp_us if frame.timestamp_us is not None else time.time_ns() // 1000
        header = Header(KIND_FRAME, self._up.next_seq, timestamp_us, frame.codec, frame.width, frame.height)
        return self._up.send(encode_message(header, frame.data), now)

    def flush(self) -> str:
        """Ask for a word when every frame sent before has its outcome: `flushes` has the id until then."""
        self._expect_open("its frames have their outcome, or have it elsewhere")
        return self._ask({"type": "flush"})

    def update(self, output: Mapping[str, Any]) -> str:
        """Ask for other depth maps of the frames that follow: `flushes` has the id until that is in force."""
        self._expect_open("no depth map can change")
        return self._ask({"type": "update", "output": dict(output)})

    def _ask(self, command: dict[str, Any]) -> str:
        flush_id = f"{self._ids}{self._num_flushes}"
        self._num_flushes += 1
        self.flushes.add(flush_id)
        self._up.command({**command, "id": flush_id})
        self._receipts.cover(self.unsettled)
        return flush_id

    def is_answered(self, flush_id: str) -> bool:
        """Whether a flush or an update was answered. Raises what it fails with."""
        if flush_id not in self.flushes:
            return True
        if self.error is not None:
            raise self.error
        if self.left:
            raise _left_unanswered()
        return self.ended

    def checkpoint(self) -> str:
        """Ask for what another session goes on from: `answer` has it by this id."""
        self._expect_open("there is nothing to save")
        return self._checkpoints.save()

    def answer(self, checkpoint_id: str) -> bytes | LeadlineError | None:
        """To a checkpoint, once; None: it is not here yet."""
        return self._checkpoints.answers.pop(checkpoint_id, None)

    def reset(self) -> None:
        """Forget the past: the next frame starts a new epoch."""
        if self.is_open:
            self._up.command({"type": "reset"})

    def detach(self) -> None:
        """Leave the session to whoever has the handle, behind all that was sent: `left` says when it is done."""
        if self.leaving:
            return
        self._expect_open("nobody can go on with its session")
        if self.ready is None or self.ready.grace_ms == 0:
            detail = "The server does not keep this session without a stream (grace_ms is 0); close it instead"
            raise LeadlineError("REQUEST_INVALID", detail)
        self.leaving = True
        self._up.command({"type": "detach"})

    def close(self) -> None:
        """Send nothing more, and end with the last outcome."""
        if not self.is_open:
            return
        self.closing = True
        self._up.command({"type": "close"})
        self._receipts.cover(self.unsettled)
        self._hurry()

    def take(self) -> Outcome | None:
        """The next outcome in order of seq, if there is one."""
        return self._receipts.take()

    def summary(self, now: float) -> Summary:
        return self._receipts.summary(now)

    def _on_detached(self, now: float) -> None:
        if self.leaving:
            self.left = True
            self.end(None, now)

    def _hurry(self) -> None:
        """The server waits for this before it says that the stream is over."""
        if self.closing and self.unsettled == 0:
            self._receipts.acknowledge()

    def _inherit(self, handle: StreamHandle, resumed: TakenUp | None, now: float) -> None:
        """Go on where a former process was."""
        made, after = (resumed.seq, resumed.after) if resumed else (-1, -1)
        former = range(handle.seq + 1, after + 1)
        self._up.next_seq = max(made, after, handle.seq) + 1
        self._up.inherit(former, now)
        if former:
            # Not every one need be a frame, and behind an older handle some have outcomes that nobody tells again.
            self._up.command({"type": "flush", "id": self._former_id})

    def _expect_open(self, therefore: str) -> None:
        if not self.is_open:
            how = "detached" if self.leaving else "closed"
            raise self.error or LeadlineError("REQUEST_INVALID", f"The stream was {how}; {therefore}")

    def _ask_for_checkpoint(self, checkpoint_id: str) -> None:
        self._up.command({"type": "checkpoint", "id": checkpoint_id})
        self._receipts.cover(self.unsettled)

    def _say(self, message: Mapping[str, Any]) -> None:
        self._up.say(message)


def _left_unanswered() -> LeadlineError:
    return LeadlineError("CONNECTION_LOST", "The stream was detached before this was answered")
