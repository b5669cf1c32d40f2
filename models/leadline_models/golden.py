"""Write goldens: a seeded random network, a clip, and the depth that it gives, mode by mode.

Computed in float64: in fp32 PyTorch picks convolutions of a batch that are off by 4e-4, more than what is compared.

    python -m leadline_models.golden --out ../test/fixtures/golden-nano
    python -m leadline_models.golden --out ../test/fixtures/golden-conv --encoder conv --size 32x64 \
        --mode ovda-c8-strict --mode vda-stream31 --mode vda-window32
    python -m leadline_models.golden --out ../test/fixtures/golden-conv --encoder conv --size 64x96 \
        --mode single --frames 2
    python -m leadline_models.golden --out DIR --arch vits --size 140x252 --size 252x140 --frames 60
    python -m leadline_models.golden --out DIR --bundle leadline-conv --size 160x288

The last but one writes a checkpoint of Video Depth Anything Small in the official layout. The weights are drawn so
that every part matters: depth varies strongly, and the past changes it visibly. They do not come from training, so the
fixture stays as it is when bundled models change. The last takes the network of a bundle as it is.
"""

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from .architecture import PRESETS, TINY_CONV, Architecture
from .export import fp16_state
from .generator.clip import generate_clip
from .generator.scene import NUM_TEXTURES
from .generator.textures import build_atlas
from .latent_cache import AnchoredCache, LatentCache
from .network import VideoDepthNetwork, normalize_image
from .weights import initialize, load_state, read_weights

GOLDEN = Architecture(
    patch=14,
    embed_dim=64,
    blocks=2,
    encoder_heads=1,
    taps=(0, 0, 1, 1),
    mlp_ratio=2,
    features=32,
    out_channels=(16, 16, 32, 32),
    temporal_heads=8,
    position_table=(4, 6),
)
GOLDENS = {"vit": GOLDEN, "conv": TINY_CONV}
CONTRAST = {"vit": 12, "conv": 0.8}  # of the last layer, which a bias keeps above the closing ReLU
SEED, CLIP_SEED = 7, 11
WINDOW = 32

# Mode -> how many frames show everything of it: rings that wrap, frame t-41. The fixture is to stay small.
STREAMS = {
    "ovda-c8-strict": (LatentCache(8), 20),
    "ovda-c16-strict": (LatentCache(16), 36),
    "ovda-c16-self": (LatentCache(16, attend_self=True), 20),
    "vda-stream31": (AnchoredCache(), 48),
}
NUM_FRAMES = max(num_frames for _, num_frames in STREAMS.values())
MODES = ("single", *STREAMS, "vda-window32")


@torch.no_grad()
def golden_network(arch: Architecture) -> VideoDepthNetwork:
    network = VideoDepthNetwork(arch).eval()
    generator = torch.Generator().manual_seed(SEED)
    initialize(network, generator)
    closing = network.head.closing
    for name, parameter in network.named_parameters():
        narrow = (32 / parameter.shape[-1]) ** 0.5  # the same spread of scores whatever the number of channels
        if "to_q" in name or "to_k" in name:
            # Sharp attention: which frame is looked at must matter. Any sharper, and it is rounding that matters.
            torch.nn.init.normal_(parameter, std=0.4 * narrow, generator=generator)
        elif "proj_out.weight" in name:
            torch.nn.init.normal_(parameter, std=0.25 * narrow, generator=generator)
        elif name.endswith("gamma"):
            torch.nn.init.uniform_(parameter, 0.5, 1.5, generator=generator)
        elif name.endswith("bias") and parameter is not closing.bias:
            torch.nn.init.normal_(parameter, std=0.1, generator=generator)
    closing.weight.mul_(CONTRAST["conv" if arch.conv else "vit"])
    closing.bias.fill_(5)
    return network


def official_state(network: VideoDepthNetwork) -> dict[str, Tensor]:
    """The state dict with the weights that official checkpoints hold and nothing uses."""
    state = network.state_dict()
    arch = network.arch
    state["pretrained.mask_token"] = torch.zeros(1, arch.embed_dim)
    for conv in ("conv1", "conv2"):
        name = f"head.scratch.refinenet4.resConfUnit1.{conv}"
        state[f"{name}.weight"] = torch.zeros(arch.features, arch.features, 3, 3)
        state[f"{name}.bias"] = torch.zeros(arch.features)
    return state


def write_weights(network: VideoDepthNetwork, folder: Path, official: bool) -> None:
    """`model.safetensors` in fp16, which the network is rounded to, or an official `checkpoint.pth` in fp32."""
    if official:
        torch.save(official_state(network), folder / "checkpoint.pth")
        return
    state = fp16_state(network)
    load_state(network, {name: tensor.float() for name, tensor in state.items()})
    save_file(state, str(folder / "model.safetensors"), metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)


def bundled_network(bundle: Path, out: Path) -> VideoDepthNetwork:
    """That of a bundle, whose weights are copied as they are."""
    manifest = json.loads((bundle / "manifest.json").read_text())
    network = VideoDepthNetwork(Architecture.from_json(manifest["architecture"])).eval()
    weights = shutil.copy(bundle / manifest["weights"]["file"], out / "model.safetensors")
    load_state(network, read_weights(weights))
    return network


def golden_frames(num_frames: int, size_hw: tuple[int, int]) -> np.ndarray:
    atlas = build_atlas(CLIP_SEED, NUM_TEXTURES)
    return generate_clip(np.random.default_rng(CLIP_SEED), num_frames, size_hw, atlas, is_varied=False).frames


def stream(network: VideoDepthNetwork, images: Tensor, cache: LatentCache | AnchoredCache) -> Tensor:
    depths = []
    for image in images:
        depth, cache = network.step(image[None], cache)
        depths.append(depth)
    return torch.cat(depths)


def golden_depth(network: VideoDepthNetwork, images: Tensor, mode: str, whole: bool) -> Tensor:
    """(T, H, W): in mode single of the first and the last frame, else of the first frames; `whole` streams all."""
    if mode == "single":
        return network.forward_single(images[[0, len(images) - 1]])
    if mode == "vda-window32":
        return network.forward_window(images[None, :WINDOW])[0]
    cache, num_frames = STREAMS[mode]
    return stream(network, images if whole else images[:num_frames], cache)


def parse_size(text: str) -> tuple[int, int]:
    height, width = map(int, text.split("x"))
    return height, width


@torch.inference_mode()
def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--arch", choices=PRESETS, help="default: a small one; given, an official checkpoint is written"
    )
    parser.add_argument("--encoder", choices=GOLDENS, default="vit", help="of the small one")
    parser.add_argument("--bundle", type=Path, help="of no small one: of this folder, manifest.json and its weights")
    parser.add_argument("--size", type=parse_size, action="append", help="HxW, multiples of 14 or 32; may be repeated")
    parser.add_argument("--frames", type=int, help="a window is 32 of them; default: as many as each mode needs")
    parser.add_argument("--mode", choices=MODES, action="append", help="may be repeated; default: all")
    options = parser.parse_args(arguments)

    out = options.out
    out.mkdir(parents=True, exist_ok=True)
    if options.bundle:
        network = bundled_network(options.bundle, out)
    else:
        network = golden_network(PRESETS[options.arch] if options.arch else GOLDENS[options.encoder])
        write_weights(network, out, official=options.arch is not None)
    (out / "config.json").write_text(json.dumps(network.arch.to_json(), indent=2) + "\n")
    network.double()
    for size_hw in options.size or [(42, 56)]:
        size = "x".join(map(str, size_hw))
        frames = golden_frames(options.frames or NUM_FRAMES, size_hw)
        np.save(out / f"frames_{size}.npy", frames)
        images = normalize_image(torch.from_numpy(frames).permute(0, 3, 1, 2)).double()
        for mode in options.mode or MODES:
            depth = golden_depth(network, images, mode, whole=options.frames is not None)
            np.save(out / f"depth_{mode}_{size}.npy", depth.float().numpy())


if __name__ == "__main__":
    main()
