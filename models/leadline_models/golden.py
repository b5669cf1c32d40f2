"""Write the golden fixture: a small seeded network, a clip, and the depth PyTorch computes for it in fp32.

    python -m leadline_models.golden --out test/fixtures/golden-nano

The weights are drawn so that every part matters: depth varies strongly, and the past changes it visibly.
They do not come from training, so the fixture stays as it is when bundled models change.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from .architecture import Architecture
from .export import fp16_state
from .generator.clip import generate_clip
from .generator.scene import NUM_TEXTURES
from .generator.textures import build_atlas
from .latent_cache import LatentCache
from .network import VideoDepthNetwork, normalize_image
from .weights import initialize, load_state

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
SEED, CLIP_SEED, NUM_FRAMES, SIZE_HW = 7, 11, 20, (70, 98)


@torch.no_grad()
def golden_network() -> VideoDepthNetwork:
    """Weights rounded to fp16, so that a reader of the file and PyTorch start from the same numbers."""
    network = VideoDepthNetwork(GOLDEN).eval()
    generator = torch.Generator().manual_seed(SEED)
    initialize(network, generator)
    for name, parameter in network.named_parameters():
        if "to_q" in name or "to_k" in name:  # sharp attention: which frame is looked at must matter
            torch.nn.init.normal_(parameter, std=0.6, generator=generator)
        elif "proj_out.weight" in name:
            torch.nn.init.normal_(parameter, std=0.25, generator=generator)
        elif name.endswith("gamma"):
            torch.nn.init.uniform_(parameter, 0.5, 1.5, generator=generator)
        elif name.endswith("bias") and "output_conv2.2" not in name:
            torch.nn.init.normal_(parameter, std=0.1, generator=generator)
    last = network.head.scratch.output_conv2[2]
    last.weight.mul_(12)  # contrast, with a bias that keeps it above the closing ReLU
    last.bias.fill_(5)
    rounded = {name: tensor.float() for name, tensor in fp16_state(network).items()}
    load_state(network, rounded)
    return network


def golden_frames() -> np.ndarray:
    atlas = build_atlas(CLIP_SEED, NUM_TEXTURES)
    return generate_clip(np.random.default_rng(CLIP_SEED), NUM_FRAMES, SIZE_HW, atlas).frames


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()

    out, size = options.out, "x".join(map(str, SIZE_HW))
    out.mkdir(parents=True, exist_ok=True)
    network, frames = golden_network(), golden_frames()
    (out / "config.json").write_text(json.dumps(GOLDEN.to_json(), indent=2) + "\n")
    save_file(fp16_state(network), str(out / "model.safetensors"), metadata={"format": "pt"})
    (out / "model.safetensors").chmod(0o644)
    np.save(out / f"frames_{size}.npy", frames)
    images = normalize_image(torch.from_numpy(frames).permute(0, 3, 1, 2))
    np.save(out / f"depth_single_{size}.npy", network.forward_single(images[[0, NUM_FRAMES - 1]]).numpy())
    for cache_size in (8, 16):
        cache, depths = LatentCache(cache_size), []
        for image in images:
            depth, cache = network.step(image[None], cache)
            depths.append(depth[0].numpy())
        np.save(out / f"depth_ovda-c{cache_size}-strict_{size}.npy", np.stack(depths))


if __name__ == "__main__":
    main()
