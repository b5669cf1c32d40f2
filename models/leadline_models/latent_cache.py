"""What a stream remembers: per temporal attention, latents of earlier frames. State is an argument."""

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import torch
from torch import Tensor

NUM_ATTENTIONS = 8  # four motion modules with two temporal attentions each


class Look(NamedTuple):
    """One attention of the current frame."""

    seen: Tensor  # (rows, K, C), at positions 0..K-1
    query_position: int
    kept: Tensor  # what the cache holds afterwards, (rows, frames, C)


@dataclass(frozen=True)
class LatentCache:
    """The window of mode ovda. `cache_size` is L: it holds L frames, of which the newest is the current one.

    windows: one tensor (rows, fill, C) per attention, oldest frame first; empty before the first frame.
    """

    cache_size: int
    attend_self: bool = False
    windows: tuple[Tensor, ...] = field(default=())

    @property
    def fill(self) -> int:
        """Number of past frames held, at most L-1: a frame that is about to leave is never needed again."""
        return self.windows[0].shape[1] if self.windows else 0

    def look(self, index: int, latent: Tensor) -> Look:
        """What the frame sees with attention `index`; latent: its own, (rows, 1, C)."""
        past = self.windows[index] if self.windows else latent[:, :0]
        window = torch.cat([past, latent], dim=1)
        # Strict past: the frame's own key is hidden, unless it is the only one there is.
        seen = window if self.attend_self or self.fill == 0 else past
        return Look(seen, self.fill, window[:, -(self.cache_size - 1) :])

    def after(self, looks: list[Look]) -> "LatentCache":
        """The cache of the next frame; looks: one per attention."""
        return replace(self, windows=kept_windows(looks))


@dataclass(frozen=True)
class AnchoredCache:
    """The window of mode vda-stream, Video Depth Anything's streaming without training for it.

    A frame sees the first one, frame t-41, the last 29 and itself, at positions 0 to 31. What lies before the first
    frame is the first frame again. windows: (rows, 42, C) per attention, the first frame and frames t-41 to t-1.
    """

    windows: tuple[Tensor, ...] = field(default=())

    NUM_STORED = 42
    NUM_RECENT = 29

    def look(self, index: int, latent: Tensor) -> Look:
        if not self.windows:
            return Look(latent, 0, latent.expand(-1, self.NUM_STORED, -1))
        stored = self.windows[index]
        seen = torch.cat([stored[:, :2], stored[:, -self.NUM_RECENT :], latent], dim=1)
        return Look(seen, seen.shape[1] - 1, torch.cat([stored[:, :1], stored[:, 2:], latent], dim=1))

    def after(self, looks: list[Look]) -> "AnchoredCache":
        return AnchoredCache(kept_windows(looks))


def kept_windows(looks: list[Look]) -> tuple[Tensor, ...]:
    if len(looks) != NUM_ATTENTIONS:
        raise ValueError(f"a frame has {NUM_ATTENTIONS} attentions, got {len(looks)}")
    return tuple(look.kept for look in looks)
