"""The whole network, and the three ways to run it: per frame, as a stream, as a masked clip.

All three return inverse depth, >= 0, bigger is nearer, known up to scale and shift.
"""

from typing import TypeVar

import torch
from torch import Tensor, nn

from .architecture import Architecture
from .conv_encoder import ConvEncoder
from .conv_head import ConvDepthHead
from .encoder import Encoder
from .head import DepthHead
from .latent_cache import AnchoredCache, LatentCache, Look
from .temporal_attention import TemporalAttention

Cache = TypeVar("Cache", LatentCache, AnchoredCache)

IMAGE_MEAN = (0.485, 0.456, 0.406)
IMAGE_STD = (0.229, 0.224, 0.225)


def normalize_image(rgb: Tensor) -> Tensor:
    """RGB (..., 3, H, W), uint8 or float in 0..1 -> network input. The dtype decides, never the values."""
    if rgb.dtype == torch.uint8:
        rgb = rgb.float() / 255
    mean = torch.tensor(IMAGE_MEAN, device=rgb.device, dtype=rgb.dtype)[:, None, None]
    std = torch.tensor(IMAGE_STD, device=rgb.device, dtype=rgb.dtype)[:, None, None]
    return (rgb - mean) / std


class VideoDepthNetwork(nn.Module):
    """`normed`: with batch normalisation in the convolutional encoder and its head, for training."""

    def __init__(self, arch: Architecture, normed: bool = False):
        super().__init__()
        self.arch, self.normed = arch, normed
        self.pretrained = ConvEncoder(arch, normed) if arch.conv else Encoder(arch)
        self.head = ConvDepthHead(arch, normed) if arch.conv else DepthHead(arch)

    def forward_single(self, image_bchw: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, H, W). The motion modules run with the frame itself as the whole window."""
        return self.forward_clip(image_bchw[:, None], cache_size=1)[:, 0]

    def forward_clip(self, clip_btchw: Tensor, cache_size: int, attend_self: bool = False) -> Tensor:
        """(B, T, 3, H, W) -> (B, T, H, W): what a stream would give for these frames, all at once."""
        return self.raw_clip(clip_btchw, cache_size, attend_self).relu()

    def raw_clip(
        self,
        clip_btchw: Tensor,
        cache_size: int,
        attend_self: bool = False,
        freeze_encoder: bool = False,
        causal: bool = True,
    ) -> Tensor:
        """As `forward_clip`, before the closing ReLU: training must see by how much an output is below zero.

        Not `causal`: every frame sees every other, whatever the cache size. No stream can do that.
        """
        num_frames = clip_btchw.shape[1]
        visible, position, query_position = clip_window(num_frames, cache_size, attend_self, clip_btchw.device)

        def attend(attention: TemporalAttention, _index: int, latents: Tensor) -> Tensor:
            if not causal:
                return attention.attend_clip(latents, torch.ones_like(visible))
            if num_frames <= max(cache_size, 1):
                return attention.attend_clip(latents, visible)
            return attention.attend_band(latents, visible, position, query_position)

        images = clip_btchw.flatten(0, 1)
        motion_modules = self.head.motion_modules
        with torch.set_grad_enabled(torch.is_grad_enabled() and not freeze_encoder):
            taps = self.pretrained(images)
        depth = self.head(
            taps,
            images.shape[-2:],
            lambda index, features: motion_modules[index](features, num_frames, attend),
        )
        return depth.unflatten(0, (-1, num_frames))

    def raw_still(self, image_bchw: Tensor) -> Tensor:
        """The head without its motion modules, (B, 3, H, W) -> (B, H, W): what stage 1 trains."""
        return self.head(self.pretrained(image_bchw), image_bchw.shape[-2:], lambda _index, features: features)

    def step(self, image_bchw: Tensor, cache: Cache) -> tuple[Tensor, Cache]:
        """One frame of each of B streams: (frame (B, 3, H, W), cache) -> (depth (B, H, W), new cache).

        Plain eager style, as in Video Depth Anything: past and present are concatenated, and the whole
        window is projected to keys and values again for every frame.
        """
        looks: list[Look] = []

        def attend(attention: TemporalAttention, _index: int, latent: Tensor) -> Tensor:
            look = cache.look(len(looks), latent)
            looks.append(look)
            return attention.attend_window(latent, look.seen, look.query_position)

        motion_modules = self.head.motion_modules
        depth = self.head(
            self.pretrained(image_bchw),
            image_bchw.shape[-2:],
            lambda index, features: motion_modules[index](features, 1, attend),
        )
        return depth.relu(), cache.after(looks)

    def forward_window(self, clip_btchw: Tensor) -> Tensor:
        """(B, T, 3, H, W) -> (B, T, H, W), T up to 32: mode vda-window, in which every frame sees every other."""
        return self.raw_clip(clip_btchw, clip_btchw.shape[1], causal=False).relu()


def clip_window(
    num_frames: int, cache_size: int, attend_self: bool, device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    """Who sees whom, and where, when a clip is run as a stream with a window of `cache_size` frames.

    Returns visible (T, T) bool, position (T, T) int (query by key) and query_position (T,) int.
    Frame t sees the L-1 frames before it, oldest at position 0. Frame 0 has only itself.
    """
    frame = torch.arange(num_frames, device=device)
    oldest = (frame - max(cache_size - 1, 0)).clamp(min=0)
    query, key = frame[:, None], frame[None, :]
    visible = (key < query) & (key >= oldest[:, None])
    if attend_self or cache_size <= 1:
        visible = visible | (key == query)
    visible[0, 0] = True
    position = (key - oldest[:, None]).clamp(0, max(cache_size - 1, 0))
    return visible, position, frame - oldest
