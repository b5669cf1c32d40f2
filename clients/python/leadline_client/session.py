"""A stream without its sockets: what came in, what is to go out, what the application may do. Time is an argument."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .checkpoints import Checkpoints
from .errors import LeadlineError, server_failure
from .events import Advice, Alignment, GoAway, Notice, Parked, Ready, Recovered, Summary
from .flight import ReplayRing
from .outcome import DepthMap, Drop, FailedFrame, Outcome
from .protocol import (
    FLAG_BLANK,
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
    ) -> None:
        lossless = config.get("delivery") == "lossless"
        self._config = dict(config)
        self._resumable = resumable
        self._receipts = Receipts(read_ahead if read_ahead is not None else 8 if lossless else 2, self._say)
        self._up = Upstream(lossless=lossless, keep_bytes=keep_bytes, tell=self._receipts.tell)
        self._ring = ReplayRing(replay_bytes)
        self._context = context
        self._checkpoints = Checkpoints(
            self._ask_for_checkpoint, lambda checkpoint_id: self._up.was_answered("checkpoint", checkpoint_id)
        )
        self._token = ""
        self._num_flushes = 0
        self.ready: Ready | None = None
        self.flushes: set[str] = set()
        """Asked for, not answered yet."""
        self.told: deque[Advice | Recovered | GoAway | Notice | Parked] = deque()
        """For the application, or whoever has the socket."""
        self.closing = False
        self.ended = False
        self.error: LeadlineError | None = None
        """Why it ended; None after a close."""

    # The socket's side.

    def hello(self) -> str:
        """The first message over a new socket."""
        if self.ready is None:
            message: dict[str, Any] = {"type": "config", **self._config, "credit": self._receipts.credit(0)}
            if self._context is not None:
                message["context"] = {"bytes": len(self._context)}
            return encode_control({**message, "resumable": True} if self._resumable else message)
        epoch, seq = self._receipts.position
        resume = {"session": self.ready.session, "token": self._token, "epoch": epoch, "seq": seq}
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
        self._up.open(self.ready.max_in_flight)
        if is_first:
            self._context = None
            self._up.next_seq = message.get("continued", {}).get("seq", -1) + 1
            self._receipts.since = now
            self._receipts.acknowledges = self.ready.grace_ms > 0
            if self.ready.mode != "single" and self.ready.grace_ms > 0:
                self._ring.keep(_REPLAY_WINDOWS * self.ready.cache_size)
            return 0, 0
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
                self._on_control(message, now)
            return
        header, payload = decode_message(data)
        if header.kind == KIND_DEPTH:
            self._on_depth(header, payload, now)
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
        failure = error or LeadlineError("CONNECTION_LOST", "The stream was closed")
        self._up.end(failure, now)
        self._checkpoints.end(failure)

    # The application's side.

    @property
    def unsettled(self) -> int:
        """Frames sent whose outcome is not here yet."""
        return self._up.unsettled

    @property
    def has_room(self) -> bool:
        """Whether a frame may be sent now."""
        return self._up.has_room

    def check(self, frame: Frame) -> None:
        """Raises what a frame is refused with before it is sent."""
        if self.error is not None:
            raise self.error
        if self.closing or self.ended or self.ready is None:
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
        return self._ask({"type": "flush"})

    def update(self, output: Mapping[str, Any]) -> str:
        """Ask for other depth maps of the frames that follow: `flushes` has the id until that is in force."""
        if self.closing or self.ended:
            raise self.error or LeadlineError("REQUEST_INVALID", "The stream was closed; no depth map can change")
        return self._ask({"type": "update", "output": dict(output)})

    def _ask(self, command: dict[str, Any]) -> str:
        flush_id = str(self._num_flushes)
        self._num_flushes += 1
        self.flushes.add(flush_id)
        self._up.command({**command, "id": flush_id})
        self._receipts.cover(self.unsettled)
        return flush_id

    def checkpoint(self) -> str:
        """Ask for what another session goes on from: `answer` has it by this id."""
        if self.closing or self.ended:
            raise self.error or LeadlineError("REQUEST_INVALID", "The stream was closed; there is nothing to save")
        return self._checkpoints.save()

    def answer(self, checkpoint_id: str) -> bytes | LeadlineError | None:
        """To a checkpoint, once; None: it is not here yet."""
        return self._checkpoints.answers.pop(checkpoint_id, None)

    def reset(self) -> None:
        """Forget the past: the next frame starts a new epoch."""
        if not self.closing and not self.ended:
            self._up.command({"type": "reset"})

    def close(self) -> None:
        """Send nothing more, and end with the last outcome."""
        if self.closing or self.ended:
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

    def _on_control(self, message: dict[str, Any], now: float) -> None:
        kind = message["type"]
        if kind in ("flushed", "updated"):
            self._up.was_answered("flush" if kind == "flushed" else "update", message["id"])
            self.flushes.discard(message["id"])
        elif kind == "reset":
            if message["reason"] == "client":
                self._up.was_reset()
            self._receipts.epoch = message["epoch"]
            self._ring.clear()
        elif kind == "recovered":
            self._receipts.epoch = message["epoch"]
            if message["continuity"] == "new":
                self._ring.clear()
            alignment = message.get("alignment")
            self.told.append(
                Recovered(
                    message["continuity"],
                    message["epoch"],
                    message["seq"],
                    alignment and Alignment(alignment["scale"], alignment["offset"], alignment["residual"]),
                )
            )
        elif kind == "checkpoint":
            self._checkpoints.told(message)
        elif kind == "goAway":
            self.told.append(GoAway(message["timeLeftMs"]))
        elif kind == "advice":
            self._up.pace(message["fps"])
            self.told.append(Advice(message["fps"], message["unsettled"]))
        elif kind == "notice":
            self.told.append(Notice(message["reason"], message["bytes"], message["deadlineMs"]))
        elif kind == "parked":
            self.told.append(Parked(message["reason"], message["bytes"]))
        elif kind == "drop":
            seq, reason = message["seq"], message["reason"]
            self._settle(seq, now, lambda ms: Drop(seq, reason, ms))
        elif kind == "error":
            error = server_failure(message["code"], message["detail"], message.get("retryAfterMs"))
            if "seq" not in message:
                raise error
            self._settle(message["seq"], now, lambda ms: FailedFrame(message["seq"], error, ms))
        elif kind == "summary":
            self.end(None, now)

    def _on_depth(self, header: Header, payload: memoryview, now: float) -> None:
        frame = self._up.frame(header.seq)
        if frame is not None and not header.flags & FLAG_BLANK:
            self._ring.push(frame)
        self._receipts.epoch = header.epoch
        self._receipts.arrived()
        if not self._settle(header.seq, now, lambda ms: DepthMap(header, payload, ms)):
            self._receipts.passed_over()

    def _settle(self, seq: int, now: float, outcome: Callable[[float], Outcome]) -> bool:
        self._receipts.received(seq, now)
        is_heard = self._up.settle(seq, now, outcome)
        self._hurry()
        return is_heard

    def _hurry(self) -> None:
        """The server waits for this before it says that the stream is over."""
        if self.closing and self.unsettled == 0:
            self._receipts.acknowledge()

    def _ask_for_checkpoint(self, checkpoint_id: str) -> None:
        self._up.command({"type": "checkpoint", "id": checkpoint_id})
        self._receipts.cover(self.unsettled)

    def _say(self, message: Mapping[str, Any]) -> None:
        self._up.say(message)
