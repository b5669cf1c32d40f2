"""The dimensions of a network, and the presets that have names.

The same JSON object sits in a bundle's `manifest.json` under "architecture", so Python and the
TypeScript graph builder read one description.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class ConvDimensions:
    """What only a convolutional encoder and its head have."""

    stem: int  # channels at stride 2
    widths: tuple[int, ...]  # channels of the stages at strides 4, 8, 16, 32
    depths: tuple[int, ...]  # residual blocks of each stage
    fine_features: int  # channels of the fusion stages at strides 8 and 4
    last_features: int  # channels of the head at stride 2

    @classmethod
    def from_json(cls, fields: dict) -> "ConvDimensions":
        return cls(
            stem=fields["stem"],
            widths=tuple(fields["widths"]),
            depths=tuple(fields["depths"]),
            fine_features=fields["fineFeatures"],
            last_features=fields["lastFeatures"],
        )

    def to_json(self) -> dict:
        return {
            "stem": self.stem,
            "widths": list(self.widths),
            "depths": list(self.depths),
            "fineFeatures": self.fine_features,
            "lastFeatures": self.last_features,
        }


@dataclass(frozen=True)
class Architecture:
    """With `conv` the encoder is convolutional: its `blocks` are those of the coarsest map, `embed_dim` that map's
    channels, `patch` the stride of the third map, which motion modules 0 and 2 see; `taps` and `position_table` say
    nothing.
    """

    patch: int  # side of one image patch in pixels
    embed_dim: int  # channels of one encoder token, D
    blocks: int
    encoder_heads: int
    taps: tuple[int, ...]  # encoder blocks whose output feeds the head, shallow to deep
    mlp_ratio: int
    features: int  # channels of every fusion stage
    out_channels: tuple[int, ...]  # channels of the four reassembled maps
    temporal_heads: int
    position_table: tuple[int, int]  # grid of the learned position table, rows x columns
    conv: ConvDimensions | None = None

    @property
    def size_multiple(self) -> int:
        """What the sides of the network's input are multiples of; a manifest's `resolution.multiple`."""
        return 2 * self.patch if self.conv else self.patch

    @classmethod
    def from_json(cls, fields: dict) -> "Architecture":
        return cls(
            patch=fields["patch"],
            embed_dim=fields["embedDim"],
            blocks=fields["blocks"],
            encoder_heads=fields["encoderHeads"],
            taps=tuple(fields["taps"]),
            mlp_ratio=fields["mlpRatio"],
            features=fields["features"],
            out_channels=tuple(fields["outChannels"]),
            temporal_heads=fields["temporalHeads"],
            position_table=tuple(fields["positionTable"]),
            conv=ConvDimensions.from_json(fields["conv"]) if fields.get("encoder") == "conv" else None,
        )

    def to_json(self) -> dict:
        return {
            "family": "video-depth-anything",
            "patch": self.patch,
            "embedDim": self.embed_dim,
            "blocks": self.blocks,
            "encoderHeads": self.encoder_heads,
            "taps": list(self.taps),
            "mlpRatio": self.mlp_ratio,
            "features": self.features,
            "outChannels": list(self.out_channels),
            "temporalHeads": self.temporal_heads,
            "positionTable": list(self.position_table),
            **({"encoder": "conv", "conv": self.conv.to_json()} if self.conv else {}),
        }


VIT_NANO = Architecture(
    patch=14,
    embed_dim=192,
    blocks=6,
    encoder_heads=3,
    taps=(1, 2, 4, 5),
    mlp_ratio=4,
    features=32,
    out_channels=(32, 32, 64, 128),
    temporal_heads=8,
    # Small on purpose: training runs on grids from 6x8 up, and a table not much larger than those has
    # no entry that training never touches. DINOv2's 37x37 would be sampled at a few points only.
    position_table=(12, 12),
)

# Video Depth Anything, Small: the layout of the official Apache-2.0 checkpoint.
VITS = Architecture(
    patch=14,
    embed_dim=384,
    blocks=12,
    encoder_heads=6,
    taps=(2, 5, 8, 11),
    mlp_ratio=4,
    features=64,
    out_channels=(48, 96, 192, 384),
    temporal_heads=8,
    position_table=(37, 37),
)

# The smallest network that keeps every part: GroupNorm(32) asks for channels divisible by 32.
TINY = Architecture(
    patch=14,
    embed_dim=64,
    blocks=2,
    encoder_heads=1,
    taps=(0, 0, 1, 1),
    mlp_ratio=2,
    features=32,
    out_channels=(16, 16, 32, 32),
    temporal_heads=8,
    position_table=(5, 5),
)

# As many operations as VIT_NANO at its size. A frame's latents are 104,000 floats at 160x288.
CONV = Architecture(
    patch=16,
    embed_dim=224,
    blocks=2,
    encoder_heads=4,
    taps=(0, 1, 2, 3),
    mlp_ratio=2,
    features=64,
    out_channels=(32, 32, 64, 128),
    temporal_heads=8,
    position_table=(1, 1),
    conv=ConvDimensions(stem=24, widths=(48, 96, 160, 224), depths=(1, 2, 3, 1), fine_features=32, last_features=24),
)

TINY_CONV = Architecture(
    patch=16,
    embed_dim=40,
    blocks=1,
    encoder_heads=2,
    taps=(0, 1, 2, 3),
    mlp_ratio=2,
    features=64,
    out_channels=(16, 24, 32, 32),
    temporal_heads=8,
    position_table=(1, 1),
    conv=ConvDimensions(stem=8, widths=(8, 16, 24, 40), depths=(1, 0, 1, 1), fine_features=32, last_features=12),
)

PRESETS = {"vit-nano": VIT_NANO, "vits": VITS, "conv": CONV, "tiny": TINY, "tiny-conv": TINY_CONV}
