"""Pictures for the eye: frame, true and predicted inverse depth side by side."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from .architecture import PRESETS
from .dataset import Pool
from .network import VideoDepthNetwork
from .resolution import nearest_multiples, resize_depth, resize_frames
from .weights import load_state


def colorize(inverse_depth: np.ndarray) -> np.ndarray:
    """(H, W) -> uint8 RGB (H, W, 3): near is red, far is blue; stretched between the 2nd and 98th percentile."""
    known = inverse_depth[inverse_depth >= 0] if (inverse_depth >= 0).any() else inverse_depth
    low, high = np.percentile(known, [2, 98])
    v = np.clip((inverse_depth.astype(np.float32) - low) / max(high - low, 1e-6), 0, 1)
    return (np.stack([v, 1 - np.abs(2 * v - 1), 1 - v], -1) * 255).astype(np.uint8)


@torch.inference_mode()
def write_preview(weights: dict, arch: str, pool: Pool, path: Path, count: int = 8) -> None:
    """The pool's first stills, or first frames of clips: training data, so a look at fit, not at quality."""
    network = VideoDepthNetwork(PRESETS[arch]).eval()
    load_state(network, {key: tensor.cpu() for key, tensor in weights.items()})
    shard = next(shard for kind in pool.shards.values() for shard in kind.values())
    frames, truth = np.array(shard.rgb[:count, 0]), np.array(shard.inverse_depth[:count, 0])
    size = nearest_multiples(frames.shape[1:3], network.arch.size_multiple)
    prediction = network.forward_single(resize_frames(frames, size))
    depth = resize_depth(prediction, frames.shape[1:3])
    columns = [np.concatenate([f, colorize(t), colorize(p)]) for f, t, p in zip(frames, truth, depth)]
    Image.fromarray(np.concatenate(columns, 1)).save(path)
