"""The image encoder: a DINOv2 vision transformer, in DINOv2's own key names.

Reference: "DINOv2: Learning Robust Visual Features without Supervision", arXiv 2304.07193.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .architecture import Architecture


class LayerScale(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        # 1, not DINOv2's 1e-5: a shallow network trained from scratch for minutes learns faster so.
        self.gamma = nn.Parameter(torch.ones(dim))

    def forward(self, tokens: Tensor) -> Tensor:
        return tokens * self.gamma


class SelfAttention(nn.Module):
    def __init__(self, dim: int, heads: int):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        batch, count, dim = tokens.shape
        qkv = self.qkv(tokens).reshape(batch, count, 3, self.heads, dim // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)  # each (B, heads, N, D/heads)
        mixed = F.scaled_dot_product_attention(query, key, value)
        return self.proj(mixed.transpose(1, 2).reshape(batch, count, dim))


class Mlp(nn.Module):
    def __init__(self, dim: int, hidden_dim: int):
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden_dim)
        self.fc2 = nn.Linear(hidden_dim, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(tokens)))


class Block(nn.Module):
    def __init__(self, dim: int, heads: int, mlp_ratio: int):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = SelfAttention(dim, heads)
        self.ls1 = LayerScale(dim)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = Mlp(dim, dim * mlp_ratio)
        self.ls2 = LayerScale(dim)

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens + self.ls1(self.attn(self.norm1(tokens)))
        return tokens + self.ls2(self.mlp(self.norm2(tokens)))


class PatchEmbed(nn.Module):
    def __init__(self, dim: int, patch: int):
        super().__init__()
        self.proj = nn.Conv2d(3, dim, patch, patch)

    def forward(self, image_bchw: Tensor) -> Tensor:
        return self.proj(image_bchw).flatten(2).transpose(1, 2)  # (B, N, D)


class Encoder(nn.Module):
    def __init__(self, arch: Architecture):
        super().__init__()
        rows, columns = arch.position_table
        self.table_hw = (rows, columns)
        self.patch = arch.patch
        self.taps = arch.taps
        self.patch_embed = PatchEmbed(arch.embed_dim, arch.patch)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, arch.embed_dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + rows * columns, arch.embed_dim))
        self.blocks = nn.ModuleList(
            Block(arch.embed_dim, arch.encoder_heads, arch.mlp_ratio) for _ in range(arch.blocks)
        )
        self.norm = nn.LayerNorm(arch.embed_dim, eps=1e-6)

    def forward(self, image_bchw: Tensor) -> list[Tensor]:
        """Normalised RGB (B, 3, H, W) -> one feature map (B, D, H/14, W/14) per tap."""
        batch, _, height, width = image_bchw.shape
        grid_hw = (height // self.patch, width // self.patch)
        tokens = self.patch_embed(image_bchw)
        tokens = torch.cat([self.cls_token.expand(batch, -1, -1), tokens], dim=1)
        tokens = tokens + self.position_embedding(grid_hw)
        maps = {}
        for index, block in enumerate(self.blocks):
            tokens = block(tokens)
            if index in self.taps:
                patches = self.norm(tokens)[:, 1:]  # every tap passes the same final norm; cls is dropped
                maps[index] = patches.transpose(1, 2).unflatten(2, grid_hw)
        return [maps[tap] for tap in self.taps]

    def position_embedding(self, grid_hw: tuple[int, int]) -> Tensor:
        """The learned table resampled to the patch grid: (1, 1 + ph*pw, D)."""
        if grid_hw == self.table_hw:
            return self.pos_embed
        table = self.pos_embed[:, 1:].unflatten(1, self.table_hw).permute(0, 3, 1, 2)
        # DINOv2 asks for a scale a little above the true ratio, to guard against rounding down, and the
        # resampler then uses that scale for its coordinates. Official weights were trained with it.
        scale = tuple((cells + 0.1) / table_cells for cells, table_cells in zip(grid_hw, self.table_hw))
        resampled = F.interpolate(table.float(), scale_factor=scale, mode="bicubic").to(table.dtype)
        return torch.cat([self.pos_embed[:, :1], resampled.flatten(2).transpose(1, 2)], dim=1)
