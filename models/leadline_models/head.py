"""The depth head: four encoder maps -> a feature pyramid -> fusion from coarse to fine -> inverse depth.

Reference: "Vision Transformers for Dense Prediction" (DPT), arXiv 2103.13413; the motion modules sit
where Video Depth Anything (arXiv 2501.12375) puts them. Every interpolation is bilinear with aligned corners.
"""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from .architecture import Architecture
from .normed_conv import conv
from .temporal_attention import MotionModule

# (index of the motion module, features (B*T, C, h, w)) -> features of the same shape
ApplyMotion = Callable[[int, Tensor], Tensor]


def resize(features: Tensor, size_hw: tuple[int, int]) -> Tensor:
    return F.interpolate(features, size=tuple(size_hw), mode="bilinear", align_corners=True)


class ResidualConvUnit(nn.Module):
    def __init__(self, features: int, normed: bool):
        super().__init__()
        self.conv1 = conv(features, features, 3, normed=normed)
        self.conv2 = conv(features, features, 3, normed=normed)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.relu(self.conv1(F.relu(x))))


class FusionStage(nn.Module):
    """Adds the finer map to what came from below, refines, and resizes to the next stage, with its channels."""

    def __init__(self, features: int, out_features: int, *, takes_skip: bool, normed: bool = False):
        super().__init__()
        self.resConfUnit1 = ResidualConvUnit(features, normed) if takes_skip else None
        self.resConfUnit2 = ResidualConvUnit(features, normed)
        self.out_conv = nn.Conv2d(features, out_features, 1)

    def forward(self, x: Tensor, skip: Tensor | None, size_hw: tuple[int, int]) -> Tensor:
        if skip is not None:
            x = x + self.resConfUnit1(skip)
        # The official order is resize, then 1x1 conv. A 1x1 conv commutes with bilinear weights, which
        # sum to one, and before the resize it costs a quarter.
        return resize(self.out_conv(self.resConfUnit2(x)), size_hw)


class Scratch(nn.Module):
    """What the official layout calls `scratch`: everything after the reassembled maps."""

    def __init__(self, features: int, out_channels: tuple[int, ...]):
        super().__init__()
        self.layer1_rn, self.layer2_rn, self.layer3_rn, self.layer4_rn = (
            nn.Conv2d(channels, features, 3, padding=1, bias=False) for channels in out_channels
        )
        self.refinenet1 = FusionStage(features, features, takes_skip=True)
        self.refinenet2 = FusionStage(features, features, takes_skip=True)
        self.refinenet3 = FusionStage(features, features, takes_skip=True)
        self.refinenet4 = FusionStage(features, features, takes_skip=False)
        self.output_conv1 = nn.Conv2d(features, features // 2, 3, padding=1)
        self.output_conv2 = nn.Sequential(nn.Conv2d(features // 2, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 1, 1))


class DepthHead(nn.Module):
    def __init__(self, arch: Architecture):
        super().__init__()
        c1, c2, c3, c4 = arch.out_channels
        self.projects = nn.ModuleList(nn.Conv2d(arch.embed_dim, channels, 1) for channels in arch.out_channels)
        self.resize_layers = nn.ModuleList(
            [
                nn.ConvTranspose2d(c1, c1, 4, 4),
                nn.ConvTranspose2d(c2, c2, 2, 2),
                nn.Identity(),
                nn.Conv2d(c4, c4, 3, stride=2, padding=1),
            ]
        )
        self.scratch = Scratch(arch.features, arch.out_channels)
        self.motion_modules = nn.ModuleList(
            MotionModule(channels, arch.temporal_heads) for channels in (c3, c4, arch.features, arch.features)
        )

    @property
    def closing(self) -> nn.Conv2d:
        """The layer that gives depth."""
        return self.scratch.output_conv2[2]

    def forward(self, taps: list[Tensor], size_hw: tuple[int, int], motion: ApplyMotion) -> Tensor:
        """Four maps (B*T, D, ph, pw) -> raw inverse depth (B*T, H, W), before the closing ReLU.

        On a ph x pw grid the pyramid is 4x, 2x, 1x and 1/2x that grid.
        """
        layers = [
            resize_layer(project(tap)) for tap, project, resize_layer in zip(taps, self.projects, self.resize_layers)
        ]
        path = fuse(self.scratch, layers, motion)
        return self.scratch.output_conv2(resize(self.scratch.output_conv1(path), size_hw))[:, 0]


def fuse(net: nn.Module, layers: list[Tensor], motion: ApplyMotion) -> Tensor:
    """Four maps, fine to coarse, each half the size of the one before -> one of twice the finest map's size."""
    skip1, skip2 = net.layer1_rn(layers[0]), net.layer2_rn(layers[1])
    skip3, skip4 = net.layer3_rn(motion(0, layers[2])), net.layer4_rn(motion(1, layers[3]))
    path = motion(2, net.refinenet4(skip4, None, skip3.shape[-2:]))
    path = motion(3, net.refinenet3(path, skip3, skip2.shape[-2:]))
    path = net.refinenet2(path, skip2, skip1.shape[-2:])
    return net.refinenet1(path, skip1, [2 * side for side in skip1.shape[-2:]])
