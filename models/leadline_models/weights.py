"""Weights in and out: the official layout, random initialisation, and bundles.

`head.scratch.refinenet4.resConfUnit1` and `pretrained.mask_token` have weights in official checkpoints and
no use in the network: they are dropped on loading, and bundles do not contain them.
"""

import math
from pathlib import Path

import torch
from torch import Tensor, nn

from .network import VideoDepthNetwork

UNUSED_KEYS = ("pretrained.mask_token", "head.scratch.refinenet4.resConfUnit1.")


def load_state(network: VideoDepthNetwork, state: dict[str, Tensor]) -> None:
    used = {key: tensor.float() for key, tensor in state.items() if not key.startswith(UNUSED_KEYS)}
    network.load_state_dict(used, strict=True)


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """A `.safetensors` bundle, an official `.pth` state dict, or a training checkpoint (its EMA weights)."""
    if str(path).endswith(".safetensors"):
        from safetensors.torch import load_file

        return load_file(str(path))
    content = torch.load(path, map_location="cpu", weights_only=True)
    return content["ema"] if "ema" in content else content


@torch.no_grad()
def initialize(network: VideoDepthNetwork, generator: torch.Generator) -> None:
    """Random weights from which the network trains: every motion module starts as the identity."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            std = 0.02 if module.in_features >= 192 else module.in_features**-0.5
            nn.init.trunc_normal_(module.weight, std=std, generator=generator)
        elif isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            fan_in = module.weight[0].numel()
            if isinstance(module, nn.ConvTranspose2d):
                fan_in = module.in_channels  # stride equals kernel: each output pixel sums over channels once
            bound = 1 / math.sqrt(fan_in)
            nn.init.uniform_(module.weight, -bound, bound, generator=generator)
        else:
            continue
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    encoder = network.pretrained
    nn.init.normal_(encoder.cls_token, std=0.02, generator=generator)
    encoder.pos_embed[0, 1:] = sinusoidal_grid(network.arch.embed_dim, *encoder.table_hw)
    for motion in network.head.motion_modules:
        nn.init.zeros_(motion.temporal_transformer.proj_out.weight)
    # Targets are centred on an offset (see losses.py), so that outputs stay clear of the closing ReLU.
    nn.init.constant_(network.head.scratch.output_conv2[2].bias, 2.0)


def sinusoidal_grid(dim: int, rows: int, columns: int) -> Tensor:
    """Smooth 2-D position table (rows*columns, dim) in which neighbours resemble each other."""
    frequency = 3 / 10000 ** (torch.arange(dim // 4) / (dim / 4))
    y, x = torch.meshgrid(torch.linspace(-8, 8, rows), torch.linspace(-8, 8, columns), indexing="ij")
    waves = [axis.reshape(-1, 1) * frequency for axis in (y, x)]
    return 0.5 * torch.cat([part for wave in waves for part in (wave.sin(), wave.cos())], dim=1)
