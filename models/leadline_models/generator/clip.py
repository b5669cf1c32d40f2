"""A seed in, a clip out: frames, exact inverse depth, camera poses."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from .camera_effects import photograph, sample_look
from .camera_track import CameraTrack, View, sample_track
from .indoor import compose_close_up, compose_room
from .outdoor import compose_abstract, compose_outdoor
from .pack import NUM_MATERIALS, PackedClip, pack_clip
from .render import render
from .scene import NUM_PATTERNED, Scene
from .varied import (
    compose_busy_street,
    compose_furnished_room,
    compose_looking_up,
    compose_night_street,
    compose_white_room,
)

FIRST_VERSION_COMPOSERS = {compose_room: 0.47, compose_close_up: 0.06, compose_outdoor: 0.38, compose_abstract: 0.09}
COMPOSERS = {
    compose_furnished_room: 0.4, compose_white_room: 0.1, compose_close_up: 0.05, compose_busy_street: 0.26,
    compose_night_street: 0.06, compose_looking_up: 0.08, compose_abstract: 0.05,
}  # fmt: skip

MIN_PIXEL_STD = 10  # of 255
MAX_COMPILED = 64
DARK = 20  # of 255
MAX_DARK_SHARE = 0.6

Render = Callable[[PackedClip, Tensor, int, int], tuple[Tensor, Tensor]]


@dataclass
class Clip:
    frames: np.ndarray  # uint8 (T, H, W, 3)
    inverse_depth: np.ndarray  # float32 (T, H, W), 1/m, 0 in the sky
    track: CameraTrack


def compiled_render() -> Render:
    """3-5 times faster than eager. Compiles once per (frames, H, W), with and without something that mirrors."""
    torch._dynamo.config.cache_size_limit = MAX_COMPILED  # beyond it PyTorch silently goes back to eager
    return torch.compile(render, dynamic=False)


def generate_clip(
    rng: np.random.Generator,
    num_frames: int,
    size_hw: tuple[int, int],
    atlas: Tensor,
    render_frames: Render = render,
    frames_per_run: int = 1,
    is_varied: bool = True,
) -> Clip:
    """Draws scenes until one is worth learning from. `frames_per_run` is 1 on a CPU (caches), more on a GPU.

    Not `is_varied`: as the generator was in version 1, pixel by pixel.
    """
    while True:
        clip = next(film_scene(rng, 1, num_frames, size_hw, atlas, render_frames, frames_per_run, is_varied), None)
        if clip:
            return clip


def film_scene(
    rng: np.random.Generator,
    num_views: int,
    num_frames: int,
    size_hw: tuple[int, int],
    atlas: Tensor,
    render_frames: Render = render,
    frames_per_run: int = 1,
    is_varied: bool = True,
) -> Iterator[Clip]:
    """One scene from several camera tracks, each with its own textures; without views not worth learning from."""
    scene = Scene(rng, is_varied=is_varied)
    view = scene.choose(COMPOSERS if is_varied else FIRST_VERSION_COMPOSERS)(scene)
    frame_s = scene.log_uniform(1 / 40, 1 / 8)
    aspect = size_hw[1] / size_hw[0]
    track = sample_track(scene, view, num_frames, frame_s, aspect)
    scene.shadow_strength = scene.uniform(0.6, 0.95) if scene.chance(0.75) else 0.0
    packed = pack_clip(scene, track)
    for number in range(num_views):
        if number > 0:
            track = sample_track(scene, another_view(scene, view), num_frames, frame_s, aspect)
            packed = retextured(pack_clip(scene, track), rng)
        film = render_film(packed, num_frames, size_hw, atlas, render_frames, frames_per_run)
        if film:
            colors, inverse_depth = film
            frames = photograph(colors, sample_look(rng), rng)
            is_dark = is_varied and (frames[0].max(-1) < DARK).mean() > MAX_DARK_SHARE
            if frames[0].std() > MIN_PIXEL_STD and not is_dark:  # a picture of nothing in the dark teaches nothing
                yield Clip(frames, inverse_depth.cpu().numpy(), track)


@torch.no_grad()
def render_film(
    packed: PackedClip,
    num_frames: int,
    size_hw: tuple[int, int],
    atlas: Tensor,
    render_frames: Render,
    frames_per_run: int,
) -> tuple[Tensor, Tensor] | None:
    """-> linear RGB (T, H, W, 3) and inverse depth (T, H, W); None once a frame is not worth learning from."""
    colors, depths = [], []
    for start in range(0, num_frames, frames_per_run):
        chunk = {name: t[start : start + frames_per_run].to(atlas.device) for name, t in packed.items()}
        color, inverse_depth = render_frames(chunk, atlas, *size_hw)
        if not is_instructive(inverse_depth):
            return None
        colors.append(color)
        depths.append(inverse_depth)
    return torch.cat(colors), torch.cat(depths)


def another_view(scene: Scene, view: View) -> View:
    """A step aside, and turned by half a radian or so."""
    aside = scene.rng.normal(size=3) * (0.6, 0.15, 0.6)
    yaw, pitch = scene.rng.normal(size=2) * (0.5, 0.1)
    return replace(view, position=view.position + aside, yaw=view.yaw + yaw, pitch=view.pitch + pitch)


def retextured(packed: PackedClip, rng: np.random.Generator) -> PackedClip:
    """White stays white."""
    texture = torch.from_numpy(rng.integers(NUM_PATTERNED, size=NUM_MATERIALS)).expand_as(packed["texture"])
    return {**packed, "texture": torch.where(packed["texture"] < NUM_PATTERNED, texture, packed["texture"])}


def is_instructive(inverse_depth: Tensor) -> bool:
    """Refuses frames (F, H, W) that are nearly all sky, flat, or blocked by something within a hand's breadth."""
    pixels = inverse_depth.flatten(1)
    nearest, farthest = pixels.amax(1), pixels.amin(1)
    has_ground = (pixels > 0).float().mean(1) > 0.1
    has_relief = nearest - farthest > 0.05 * nearest
    is_blocked = (nearest > 8) | (pixels.median(1).values > 2.5)
    return bool((has_ground & has_relief & ~is_blocked).all())
