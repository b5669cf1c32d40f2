"""What a stream remembers: per temporal attention, the latents of the last frames. State is an argument."""

from dataclasses import dataclass, field

from torch import Tensor

NUM_ATTENTIONS = 8  # four motion modules with two temporal attentions each


@dataclass(frozen=True)
class LatentCache:
    """`cache_size` is L: the window holds L frames, of which the newest is the current one.

    windows: one tensor (rows, fill, C) per attention, oldest frame first; empty before the first frame.
    """

    cache_size: int
    attend_self: bool = False
    windows: tuple[Tensor, ...] = field(default=())

    @property
    def fill(self) -> int:
        """Number of past frames held, at most L-1: a frame that is about to leave is never needed again."""
        return self.windows[0].shape[1] if self.windows else 0

    def with_frame(self, latents: list[Tensor], windows: list[Tensor]) -> "LatentCache":
        """latents: the frame's own, (rows, 1, C) each; windows: past and current, as the step has built them."""
        if len(latents) != NUM_ATTENTIONS:
            raise ValueError(f"a frame has {NUM_ATTENTIONS} latents, got {len(latents)}")
        kept = tuple(window[:, -(self.cache_size - 1) :] for window in windows)
        return LatentCache(self.cache_size, self.attend_self, kept)
