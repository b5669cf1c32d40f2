"""A seed in, a clip out: frames, exact inverse depth, camera poses."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .camera_effects import photograph, sample_look
from .camera_track import CameraTrack, sample_track
from .indoor import compose_close_up, compose_room
from .outdoor import compose_abstract, compose_outdoor
from .pack import PackedClip, pack_clip
from .render import render
from .scene import Scene

COMPOSERS = {compose_room: 0.47, compose_close_up: 0.06, compose_outdoor: 0.38, compose_abstract: 0.09}

MIN_PIXEL_STD = 10  # of 255

Render = Callable[[PackedClip, Tensor, int, int], tuple[Tensor, Tensor]]


@dataclass
class Clip:
    frames: np.ndarray  # uint8 (T, H, W, 3)
    inverse_depth: np.ndarray  # float32 (T, H, W), 1/m, 0 in the sky
    track: CameraTrack


def compiled_render() -> Render:
    """3-5 times faster than eager. Compiles once per (frames, H, W)."""
    return torch.compile(render, dynamic=False)


@torch.no_grad()
def generate_clip(
    rng: np.random.Generator,
    num_frames: int,
    size_hw: tuple[int, int],
    atlas: Tensor,
    render_frames: Render = render,
    frames_per_run: int = 1,
) -> Clip:
    """Draws scenes until one is worth learning from. `frames_per_run` is 1 on a CPU (caches), more on a GPU."""
    height, width = size_hw
    while True:
        scene = Scene(rng)
        view = scene.choose(COMPOSERS)(scene)
        frame_s = scene.log_uniform(1 / 40, 1 / 8)
        track = sample_track(scene, view, num_frames, frame_s, width / height)
        scene.shadow_strength = scene.uniform(0.6, 0.95) if scene.chance(0.75) else 0.0
        packed = pack_clip(scene, track)
        colors, depths = [], []
        for start in range(0, num_frames, frames_per_run):
            chunk = {name: t[start : start + frames_per_run].to(atlas.device) for name, t in packed.items()}
            color, inverse_depth = render_frames(chunk, atlas, height, width)
            colors.append(color)
            depths.append(inverse_depth)
            if not is_instructive(inverse_depth[0]):
                break
        else:
            frames = photograph(torch.cat(colors), sample_look(rng), rng)
            if frames[0].std() > MIN_PIXEL_STD:  # a picture of nothing in the dark teaches nothing
                return Clip(frames, torch.cat(depths).cpu().numpy(), track)


def is_instructive(inverse_depth: Tensor) -> bool:
    """Refuses views that are nearly all sky, flat, or blocked by something within a hand's breadth."""
    nearest, farthest = float(inverse_depth.max()), float(inverse_depth.min())
    has_ground = float((inverse_depth > 0).float().mean()) > 0.1
    has_relief = nearest - farthest > 0.05 * nearest
    is_blocked = nearest > 8 or float(inverse_depth.median()) > 2.5
    return has_ground and has_relief and not is_blocked
