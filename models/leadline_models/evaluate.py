"""Score a network on the procedural hold-out and on a folder of RGB-D frames.

    python -m leadline_models.evaluate --weights RUNS/4/checkpoint.pt --holdout HOLDOUT --rgbd FOLDER --json out.json

The hold-out is generated once, from seeds that training never uses, and kept in the folder given.
An RGB-D folder has color/*.jpg and depth/*.png (16 bit, millimetres, 0 is invalid), in step.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from .architecture import PRESETS
from .edges import mean_edge_scores
from .holdout import holdout
from .latent_cache import LatentCache
from .network import VideoDepthNetwork
from .preview import colorize
from .resolution import LOWER_BOUND, model_size, resize_depth, resize_frames
from .scoring import flicker, mean_scores, score
from .weights import load_state, read_weights

WINDOWS = (8, 16)  # cache sizes L that videos are streamed with


def load_network(weights: Path, arch: str) -> VideoDepthNetwork:
    network = VideoDepthNetwork(PRESETS[arch]).eval()
    load_state(network, read_weights(weights))
    return network


def network_size(network: VideoDepthNetwork, frames: np.ndarray, lower_bound: int) -> tuple[int, int]:
    """At which `network` would run in the service; frames: (..., H, W, 3)."""
    return model_size(*frames.shape[-3:-1], network.arch.size_multiple, lower_bound)


def read_rgbd(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """-> frames uint8 (T, H, W, 3), inverse depth float32 (T, H, W) in 1/m, 0 where invalid."""
    frames = [np.asarray(Image.open(path).convert("RGB")) for path in sorted((folder / "color").glob("*.jpg"))]
    depths_mm = [np.asarray(Image.open(path)).astype(np.float32) for path in sorted((folder / "depth").glob("*.png"))]
    inverse = [np.where(depth > 0, 1000 / np.maximum(depth, 1), 0) for depth in depths_mm]
    return np.stack(frames), np.stack(inverse).astype(np.float32)


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
    """Both fits, their difference (first minus global: drift), and flicker. Means over the videos."""
    first = mean_scores([score(p, t, "first") for p, t in zip(predictions, truths)])
    overall = mean_scores([score(p, t, "global") for p, t in zip(predictions, truths)])
    return {
        "first": first,
        "global": overall,
        "gap": {name: round(first[name] - overall[name], 4) for name in first},
        "flicker": mean_flicker(predictions, truths),
    }


def mean_flicker(predictions: list[np.ndarray], truths: list[np.ndarray]) -> float:
    return round(float(np.mean([flicker(p, t) for p, t in zip(predictions, truths)])), 4)


def evaluate_stills(network: VideoDepthNetwork, data: dict[str, np.ndarray], lower_bound: int) -> tuple[dict, dict]:
    """-> AbsRel and delta1, and how sharp edges are."""
    size = network_size(network, data["stills_rgb"], lower_bound)
    predictions = [predict(network, frames, size, cache_size=1) for frames in data["stills_rgb"]]
    scores = mean_scores([score(p, t, "frame") for p, t in zip(predictions, data["stills_inv"])])
    return scores, mean_edge_scores([p[0] for p in predictions], [t[0].astype(np.float32) for t in data["stills_inv"]])


def evaluate_videos(
    network: VideoDepthNetwork,
    videos: Sequence[np.ndarray],
    truths: Sequence[np.ndarray],
    lower_bound: int,
    windows: Sequence[int] = WINDOWS,
) -> dict:
    """ "single" is every frame on its own; "constant" flickers as much as the scenes move."""
    size = network_size(network, videos[0], lower_bound)
    result = {}
    for name, cache_size in (("single", 1), *((f"ovda-c{window}", window) for window in windows)):
        result[name] = score_video([predict(network, frames, size, cache_size) for frames in videos], truths)
    return {**result, "constant": {"flicker": mean_flicker([np.zeros_like(t) for t in truths], truths)}}


def evaluate_holdout(
    network: VideoDepthNetwork, data: dict[str, np.ndarray], lower_bound: int, windows: Sequence[int] = WINDOWS
) -> dict:
    stills, edges = evaluate_stills(network, data, lower_bound)
    return {
        "size": list(network_size(network, data["stills_rgb"], lower_bound)),
        "stills": stills,
        "edges": edges,
        **evaluate_videos(network, data["clips_rgb"], data["clips_inv"], lower_bound, windows),
    }


def evaluate_rgbd(network: VideoDepthNetwork, folder: Path, lower_bound: int, windows: Sequence[int] = WINDOWS) -> dict:
    frames, truth = read_rgbd(folder)
    size = network_size(network, frames, lower_bound)
    return {
        "frames": len(frames),
        "size": list(size),
        **evaluate_videos(network, [frames], [truth], lower_bound, windows),
    }


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
    network: VideoDepthNetwork, frames: np.ndarray, truth: np.ndarray, lower_bound: int, path: Path, columns: int = 8
) -> None:
    """Contact sheet of stills: frame, truth and prediction under each other."""
    cells = []
    for rgb, inverse in zip(frames, truth):
        prediction = predict(network, rgb, network_size(network, rgb, lower_bound), cache_size=1)[0]
        cells.append(np.concatenate([rgb[0], colorize(inverse[0]), colorize(prediction)]))
    rows = [np.concatenate(cells[i : i + columns], 1) for i in range(0, len(cells) - columns + 1, columns)]
    Image.fromarray(np.concatenate(rows)).save(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, help="checkpoint.pt, model.safetensors or an official .pth")
    parser.add_argument("--arch", choices=PRESETS, default="conv")
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
        network = load_network(options.weights, options.arch)
        if data:
            metrics["holdout"] = evaluate_holdout(network, data, options.lower_bound)
        if options.rgbd:
            metrics["rgbd"] = evaluate_rgbd(network, options.rgbd, options.lower_bound)
        if data and options.sheet:
            write_sheet(network, data["stills_rgb"][:24], data["stills_inv"][:24], options.lower_bound, options.sheet)
    text = json.dumps(metrics, indent=2)
    print(text)
    if options.json:
        options.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
