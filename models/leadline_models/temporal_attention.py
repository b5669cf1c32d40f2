"""Attention along time only, for every spatial position on its own ("motion modules").

Inside, one *row* is one spatial position of one video, so tensors are (rows, time, channels).
What a stream remembers are the *latents*: the LayerNorm outputs that enter each attention, before
positions and projections are applied. Positions are relative to the window, so they are added anew.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MAX_WINDOW = 32  # rows of the position table in the official layout

# (attention, index of the attention within its module, latents) -> attended, both (rows, T, C)
Attend = Callable[["TemporalAttention", int, Tensor], Tensor]


class PositionEncoder(nn.Module):
    """Sinusoidal table; even channels sine, odd cosine, base 10000."""

    def __init__(self, dim: int):
        super().__init__()
        position = torch.arange(MAX_WINDOW)[:, None]
        frequency = torch.exp(torch.arange(0, dim, 2) * (-math.log(10000.0) / dim))
        table = torch.zeros(1, MAX_WINDOW, dim)
        table[0, :, 0::2] = torch.sin(position * frequency)
        table[0, :, 1::2] = torch.cos(position * frequency)
        self.register_buffer("pe", table)


class TemporalAttention(nn.Module):
    def __init__(self, dim: int, heads: int):
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(dim, dim, bias=False)
        self.to_k = nn.Linear(dim, dim, bias=False)
        self.to_v = nn.Linear(dim, dim, bias=False)
        self.to_out = nn.ModuleList([nn.Linear(dim, dim)])
        self.pos_encoder = PositionEncoder(dim)

    def attend_window(self, latent: Tensor, window: Tensor, query_position: int) -> Tensor:
        """One frame (rows, 1, C) looks at its window (rows, K, C), oldest first, at positions 0..K-1."""
        table = self.pos_encoder.pe
        query = self.to_q(latent + table[:, query_position : query_position + 1])
        positioned = window + table[:, : window.shape[1]]
        return self._attend(query, self.to_k(positioned), self.to_v(positioned), None)

    def attend_clip(self, latents: Tensor, visible: Tensor) -> Tensor:
        """Whole clip (rows, T, C) that fits its window: frame t sits at position t. visible: bool (T, T)."""
        positioned = latents + self.pos_encoder.pe[:, : latents.shape[1]]
        return self._attend(self.to_q(positioned), self.to_k(positioned), self.to_v(positioned), visible)

    def attend_band(self, latents: Tensor, visible: Tensor, position: Tensor, query_position: Tensor) -> Tensor:
        """Clip longer than its window, so that a frame's position depends on who looks at it.

        visible: bool (T, T), query by key. position: int (T, T), the key's place in the query's window.
        K and V have no bias, hence W(a + pe) = W a + W pe: content and position are projected apart,
        and only the small position tables are gathered per (query, key) pair.
        """
        table = self.pos_encoder.pe[0]
        query = self._split(self.to_q(latents + table[query_position]))  # (rows, h, T, c)
        key, value = self._split(self.to_k(latents)), self._split(self.to_v(latents))
        position_key, position_value = self._split(self.to_k(table)), self._split(self.to_v(table))  # (h, P, c)
        index = position.expand(*query.shape[:2], -1, -1)
        scores = query @ key.transpose(-1, -2) + (query @ position_key.transpose(-1, -2)).gather(-1, index)
        scores = scores / math.sqrt(query.shape[-1])
        weights = scores.float().masked_fill(~visible, -torch.inf).softmax(-1).to(value.dtype)
        by_position = weights.new_zeros(*weights.shape[:3], table.shape[0]).scatter_add(-1, index, weights)
        return self._join(weights @ value + by_position @ position_value)

    def _attend(self, query: Tensor, key: Tensor, value: Tensor, visible: Tensor | None) -> Tensor:
        split = self._split
        return self._join(F.scaled_dot_product_attention(split(query), split(key), split(value), attn_mask=visible))

    def _split(self, tensor: Tensor) -> Tensor:
        return tensor.unflatten(-1, (self.heads, -1)).transpose(-3, -2)  # (..., T, C) -> (..., heads, T, C/heads)

    def _join(self, tensor: Tensor) -> Tensor:
        return self.to_out[0](tensor.transpose(-3, -2).flatten(-2))


class GatedGelu(nn.Module):
    def __init__(self, dim: int, hidden_dim: int):
        super().__init__()
        self.proj = nn.Linear(dim, 2 * hidden_dim)

    def forward(self, hidden: Tensor) -> Tensor:
        value, gate = self.proj(hidden).chunk(2, dim=-1)
        return value * F.gelu(gate)


class FeedForward(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        # The middle entry stands where the official layout has dropout; it keeps the key `net.2`.
        self.net = nn.Sequential(GatedGelu(dim, 4 * dim), nn.Identity(), nn.Linear(4 * dim, dim))

    def forward(self, hidden: Tensor) -> Tensor:
        return self.net(hidden)


class TemporalBlock(nn.Module):
    """Two attentions, then a feed-forward, each with its own LayerNorm and a residual."""

    def __init__(self, dim: int, heads: int):
        super().__init__()
        self.attention_blocks = nn.ModuleList(TemporalAttention(dim, heads) for _ in range(2))
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(2))  # eps 1e-5, unlike the encoder
        self.ff = FeedForward(dim)
        self.ff_norm = nn.LayerNorm(dim)

    def forward(self, hidden: Tensor, attend: Attend) -> Tensor:
        for index, (attention, norm) in enumerate(zip(self.attention_blocks, self.norms)):
            hidden = hidden + attend(attention, index, norm(hidden))
        return hidden + self.ff(self.ff_norm(hidden))


class TemporalTransformer(nn.Module):
    def __init__(self, dim: int, heads: int):
        super().__init__()
        self.norm = nn.GroupNorm(32, dim, eps=1e-6)
        self.proj_in = nn.Linear(dim, dim)
        self.transformer_blocks = nn.ModuleList([TemporalBlock(dim, heads)])
        self.proj_out = nn.Linear(dim, dim)

    def forward(self, features: Tensor, num_frames: int, attend: Attend) -> Tensor:
        """(B*T, C, h, w) -> (B*T, C, h, w). GroupNorm sees each frame alone, so streaming equals clips."""
        height, width = features.shape[-2:]
        tokens = self.norm(features).flatten(2).transpose(1, 2)  # (B*T, h*w, C)
        rows = self.proj_in(tokens).unflatten(0, (-1, num_frames)).transpose(1, 2).flatten(0, 1)  # (B*h*w, T, C)
        rows = self.proj_out(self.transformer_blocks[0](rows, attend))
        tokens = rows.unflatten(0, (-1, height * width)).transpose(1, 2).flatten(0, 1)
        return features + tokens.transpose(1, 2).unflatten(2, (height, width))


class MotionModule(nn.Module):
    def __init__(self, dim: int, heads: int):
        super().__init__()
        self.temporal_transformer = TemporalTransformer(dim, heads)

    def forward(self, features: Tensor, num_frames: int, attend: Attend) -> Tensor:
        return self.temporal_transformer(features, num_frames, attend)
