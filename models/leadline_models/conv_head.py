"""The depth head on a convolutional encoder: fusion and motion modules as ever, then a pixel shuffle at half size."""

import torch.nn.functional as F
from torch import Tensor, nn

from .architecture import Architecture
from .head import ApplyMotion, FusionStage, fuse
from .normed_conv import conv
from .temporal_attention import MotionModule


class ConvScratch(nn.Module):
    def __init__(self, arch: Architecture, normed: bool):
        super().__init__()
        dims, coarse = arch.conv, arch.features
        fine, last = dims.fine_features, dims.last_features
        c1, c2, c3, c4 = arch.out_channels
        self.layer0_rn = nn.Conv2d(dims.stem, last, 1, bias=False)
        self.layer1_rn = nn.Conv2d(c1, fine, 3, padding=1, bias=False)
        self.layer2_rn = nn.Conv2d(c2, fine, 3, padding=1, bias=False)
        self.layer3_rn = nn.Conv2d(c3, coarse, 3, padding=1, bias=False)
        self.layer4_rn = nn.Conv2d(c4, coarse, 3, padding=1, bias=False)
        self.refinenet1 = FusionStage(fine, last, takes_skip=True, normed=normed)
        self.refinenet2 = FusionStage(fine, fine, takes_skip=True, normed=normed)
        self.refinenet3 = FusionStage(coarse, fine, takes_skip=True, normed=normed)
        self.refinenet4 = FusionStage(coarse, coarse, takes_skip=False, normed=normed)
        self.output_conv1 = conv(last, last, 3, normed=normed)
        self.output_conv2 = nn.Conv2d(last, 4, 3, padding=1)


class ConvDepthHead(nn.Module):
    def __init__(self, arch: Architecture, normed: bool):
        super().__init__()
        _, _, c3, c4 = arch.out_channels
        self.projects = nn.ModuleList(
            nn.Conv2d(width, channels, 1) for width, channels in zip(arch.conv.widths, arch.out_channels)
        )
        self.scratch = ConvScratch(arch, normed)
        self.motion_modules = nn.ModuleList(
            MotionModule(channels, arch.temporal_heads) for channels in (c3, c4, arch.features, arch.conv.fine_features)
        )

    @property
    def closing(self) -> nn.Conv2d:
        return self.scratch.output_conv2

    def forward(self, maps: list[Tensor], _size_hw: tuple[int, int], motion: ApplyMotion) -> Tensor:
        """Five maps (B*T, C, H/s, W/s), s = 2, 4, 8, 16, 32 -> raw inverse depth (B*T, H, W), before the closing ReLU.

        Shapes on the way, C x stride: projected 32x4, 32x8, 64x16, 128x32 (`out_channels`); motion module 0 sees the
        third of them, 1 the fourth. The fused path is 64x16 after refinenet4 (motion module 2), 32x8 after refinenet3
        (motion module 3), 32x4, and 24x2 after refinenet1, where the stem's map joins. Four outputs per pixel at half
        size become the 2x2 pixels they stand for, row by row.
        """
        net = self.scratch
        path = fuse(net, [project(tap) for project, tap in zip(self.projects, maps[1:])], motion)
        path = F.relu(path + net.layer0_rn(maps[0]))
        return F.pixel_shuffle(net.output_conv2(F.relu(net.output_conv1(path))), 2)[:, 0]
