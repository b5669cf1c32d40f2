"""Score a network on procedural hold-out scenes and on a folder of RGB-D frames.

    python -m leadline_models.evaluate --weights RUNS/4/checkpoint.pt --holdout HOLDOUT --rgbd FOLDER --json out.json

The hold-out is generated once, from seeds that training never uses, and kept in the folder given.
An RGB-D folder has color/*.jpg and depth/*.png (16 bit, millimetres, 0 is invalid), in step.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from .architecture import PRESETS
from .export import LOWER_BOUND, MAX_AREA, PATCH_MULTIPLE
from .generator.clip import compiled_render, generate_clip
from .generator.scene import NUM_TEXTURES
from .generator.textures import build_atlas
from .latent_cache import LatentCache
from .network import VideoDepthNetwork, normalize_image
from .preview import colorize
from .scoring import flicker, mean_scores, score
from .weights import load_state, read_weights

HOLDOUT_SEEDS = (900001, 900002)  # textures and scenes; training pools use seeds far below
HOLDOUT_SIZE_HW = (168, 224)
HOLDOUT_STILLS, HOLDOUT_CLIPS, CLIP_FRAMES = 160, 16, 24


def holdout(folder: Path) -> dict[str, np.ndarray]:
    path = folder / "holdout-1.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        atlas, rng = build_atlas(HOLDOUT_SEEDS[0], NUM_TEXTURES), np.random.default_rng(HOLDOUT_SEEDS[1])
        render_frames = compiled_render()
        stills = [generate_clip(rng, 1, HOLDOUT_SIZE_HW, atlas, render_frames) for _ in range(HOLDOUT_STILLS)]
        clips = [generate_clip(rng, CLIP_FRAMES, HOLDOUT_SIZE_HW, atlas, render_frames) for _ in range(HOLDOUT_CLIPS)]
        np.savez(
            path,
            stills_rgb=np.stack([s.frames for s in stills]),
            stills_inv=np.stack([s.inverse_depth for s in stills]),
            clips_rgb=np.stack([c.frames for c in clips]),
            clips_inv=np.stack([c.inverse_depth for c in clips]),
        )
    with np.load(path) as arrays:
        return dict(arrays)


def read_rgbd(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """-> frames uint8 (T, H, W, 3), inverse depth float32 (T, H, W) in 1/m, 0 where invalid."""
    frames = [np.asarray(Image.open(path).convert("RGB")) for path in sorted((folder / "color").glob("*.jpg"))]
    depths_mm = [np.asarray(Image.open(path)).astype(np.float32) for path in sorted((folder / "depth").glob("*.png"))]
    inverse = [np.where(depth > 0, 1000 / np.maximum(depth, 1), 0) for depth in depths_mm]
    return np.stack(frames), np.stack(inverse).astype(np.float32)


def model_size(height: int, width: int, lower_bound: int = LOWER_BOUND, max_area: int = MAX_AREA) -> tuple[int, int]:
    """The resolution at which the service would run such a frame: multiples of 14, shape kept, area bounded."""
    scale = min(lower_bound / min(height, width), (max_area / (height * width)) ** 0.5)
    return tuple(max(1, round(side * scale / PATCH_MULTIPLE)) * PATCH_MULTIPLE for side in (height, width))


def resize_frames(frames: np.ndarray, size_hw: tuple[int, int]) -> torch.Tensor:
    """uint8 (T, H, W, 3) -> network input (T, 3, h, w)."""
    resized = [np.asarray(Image.fromarray(frame).resize(size_hw[::-1], Image.BICUBIC)) for frame in frames]
    return normalize_image(torch.from_numpy(np.stack(resized)).permute(0, 3, 1, 2))


def resize_depth(depth: torch.Tensor, size_hw: tuple[int, int]) -> np.ndarray:
    return torch.nn.functional.interpolate(depth[:, None], size_hw, mode="bilinear", align_corners=True)[:, 0].numpy()


@torch.inference_mode()
def predict(network: VideoDepthNetwork, frames: np.ndarray, size_hw: tuple[int, int], cache_size: int) -> np.ndarray:
    """Streams frames (T, H, W, 3), or with cache size 1 runs each on its own -> inverse depth (T, H, W)."""
    images = resize_frames(frames, size_hw)
    outputs, cache = [], LatentCache(cache_size)
    for image in images:
        if cache_size > 1:
            depth, cache = network.step(image[None], cache)
        else:
            depth = network.forward_single(image[None])
        outputs.append(depth)
    return resize_depth(torch.cat(outputs), frames.shape[1:3])


def score_video(predictions: list[np.ndarray], truths: list[np.ndarray]) -> dict:
    return {
        "first": mean_scores([score(p, t, "first") for p, t in zip(predictions, truths)]),
        "global": mean_scores([score(p, t, "global") for p, t in zip(predictions, truths)]),
        "flicker": round(float(np.mean([flicker(p, t) for p, t in zip(predictions, truths)])), 4),
    }


def evaluate_holdout(network: VideoDepthNetwork, data: dict[str, np.ndarray], lower_bound: int) -> dict:
    height, width = data["stills_rgb"].shape[2:4]
    size = model_size(height, width, lower_bound)
    predictions = [predict(network, frames, size, cache_size=1) for frames in data["stills_rgb"]]
    result = {
        "size": list(size),
        "stills": mean_scores([score(p, t, "frame") for p, t in zip(predictions, data["stills_inv"])]),
    }
    truths = list(data["clips_inv"])
    for name, cache_size in (("single", 1), ("ovda-c8", 8), ("ovda-c16", 16)):
        result[name] = score_video([predict(network, c, size, cache_size) for c in data["clips_rgb"]], truths)
    return result


def evaluate_rgbd(network: VideoDepthNetwork, folder: Path, lower_bound: int) -> dict:
    frames, truth = read_rgbd(folder)
    size = model_size(*frames.shape[1:3], lower_bound)
    result = {"frames": len(frames), "size": list(size)}
    for name, cache_size in (("single", 1), ("ovda-c16", 16)):
        result[name] = score_video([predict(network, frames, size, cache_size)], [truth])
    return result


def baselines(data: dict[str, np.ndarray]) -> dict:
    """What a constant and the mean depth map of the hold-out's own stills reach: the bars to clear."""
    stills = data["stills_inv"]
    normalized = (stills - np.median(stills, (1, 2, 3), keepdims=True)) / stills.std((1, 2, 3), keepdims=True)
    mean_map = normalized.mean((0, 1))[None]
    constant = np.zeros_like(mean_map)
    clips = list(data["clips_inv"])
    return {
        "constant": {
            "stills": mean_scores([score(constant, t, "frame") for t in stills]),
            **score_video([np.zeros_like(c) for c in clips], clips),
        },
        "meanMap": {
            "stills": mean_scores([score(mean_map, t, "frame") for t in stills]),
            **score_video([np.broadcast_to(mean_map, c.shape) for c in clips], clips),
        },
    }


def write_sheet(
    network: VideoDepthNetwork, frames: np.ndarray, truth: np.ndarray, path: Path, columns: int = 8
) -> None:
    """Contact sheet of stills: frame, truth and prediction under each other."""
    cells = []
    for rgb, inverse in zip(frames, truth):
        prediction = predict(network, rgb, model_size(*rgb.shape[1:3]), cache_size=1)[0]
        cells.append(np.concatenate([rgb[0], colorize(inverse[0]), colorize(prediction)]))
    rows = [np.concatenate(cells[i : i + columns], 1) for i in range(0, len(cells) - columns + 1, columns)]
    Image.fromarray(np.concatenate(rows)).save(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, help="checkpoint.pt, model.safetensors or an official .pth")
    parser.add_argument("--arch", choices=PRESETS, default="nano")
    parser.add_argument("--holdout", type=Path, help="folder in which the generated hold-out is kept")
    parser.add_argument("--rgbd", type=Path)
    parser.add_argument(
        "--lower-bound", type=int, default=LOWER_BOUND, help="shorter side of the network's input, pixels"
    )
    parser.add_argument("--baselines", action="store_true", help="score a constant and the mean depth map as well")
    parser.add_argument("--sheet", type=Path, help="PNG to write, with the first hold-out stills")
    parser.add_argument("--json", type=Path, help="where the figures go; they are printed in any case")
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()

    if options.threads:
        torch.set_num_threads(options.threads)
    metrics, data = {}, holdout(options.holdout) if options.holdout else None
    if data and options.baselines:
        metrics["baselines"] = baselines(data)
    if options.weights:
        network = VideoDepthNetwork(PRESETS[options.arch]).eval()
        load_state(network, read_weights(options.weights))
        if data:
            metrics["holdout"] = evaluate_holdout(network, data, options.lower_bound)
        if options.rgbd:
            metrics["rgbd"] = evaluate_rgbd(network, options.rgbd, options.lower_bound)
        if options.sheet:
            write_sheet(network, data["stills_rgb"][:24], data["stills_inv"][:24], options.sheet)
    text = json.dumps(metrics, indent=2)
    print(text)
    if options.json:
        options.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
