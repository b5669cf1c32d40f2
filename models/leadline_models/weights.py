"""Weights in and out: the official layout, random initialisation, and bundles.

`head.scratch.refinenet4.resConfUnit1` and `pretrained.mask_token` have weights in official checkpoints and
no use in the network: they are dropped on loading, and bundles do not contain them.
"""

import math
from pathlib import Path

import torch
from torch import Tensor, nn

from .conv_encoder import ResidualBlock
from .head import ResidualConvUnit
from .losses import OFFSET
from .network import VideoDepthNetwork
from .normed_conv import NormedConv, fold, unfold

RESIDUAL_GAIN = 0.2
UNUSED_KEYS = ("pretrained.mask_token", "head.scratch.refinenet4.resConfUnit1.")


def load_state(network: VideoDepthNetwork, state: dict[str, Tensor]) -> None:
    """Batch normalisation folds into a network without; one with gets statistics that `calibrate` makes true."""
    used = {key: tensor.float() for key, tensor in state.items() if not key.startswith(UNUSED_KEYS)}
    network.load_state_dict(unfold(network, used) if network.normed else fold(used), strict=True)


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
    is_conv = network.arch.conv is not None
    for module in network.modules():
        if isinstance(module, nn.Linear):
            std = 0.02 if module.in_features >= 192 else module.in_features**-0.5
            nn.init.trunc_normal_(module.weight, std=std, generator=generator)
        elif isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            fan_in = module.weight[0].numel()
            if isinstance(module, nn.ConvTranspose2d):
                fan_in = module.in_channels  # stride equals kernel: each output pixel sums over channels once
            bound = (6 if is_conv else 1) ** 0.5 / math.sqrt(fan_in)  # 6 keeps the variance through a ReLU
            nn.init.uniform_(module.weight, -bound, bound, generator=generator)
        else:
            continue
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    for motion in network.head.motion_modules:
        nn.init.zeros_(motion.temporal_transformer.proj_out.weight)
    (initialize_conv if is_conv else initialize_transformer)(network, generator)


def initialize_transformer(network: VideoDepthNetwork, generator: torch.Generator) -> None:
    encoder = network.pretrained
    nn.init.normal_(encoder.cls_token, std=0.02, generator=generator)
    encoder.pos_embed[0, 1:] = sinusoidal_grid(network.arch.embed_dim, *encoder.table_hw)
    # Targets are centred on an offset (see losses.py), so that outputs stay clear of the closing ReLU.
    nn.init.constant_(network.head.closing.bias, 2.0)


def initialize_conv(network: VideoDepthNetwork, generator: torch.Generator) -> None:
    """Residual branches start small, and so does everything about the offset."""
    for module in network.modules():
        if isinstance(module, (ResidualBlock, ResidualConvUnit)):
            last = module.conv2
            (last.gain if isinstance(last, NormedConv) else last.weight).mul_(RESIDUAL_GAIN)
    nn.init.normal_(network.head.closing.weight, std=0.01, generator=generator)
    nn.init.constant_(network.head.closing.bias, OFFSET)


def sinusoidal_grid(dim: int, rows: int, columns: int) -> Tensor:
    """Smooth 2-D position table (rows*columns, dim) in which neighbours resemble each other."""
    frequency = 3 / 10000 ** (torch.arange(dim // 4) / (dim / 4))
    y, x = torch.meshgrid(torch.linspace(-8, 8, rows), torch.linspace(-8, 8, columns), indexing="ij")
    waves = [axis.reshape(-1, 1) * frequency for axis in (y, x)]
    return 0.5 * torch.cat([part for wave in waves for part in (wave.sin(), wave.cos())], dim=1)
