"""Draws training batches from a pool of shards: crop, flip, colour, reverse and stride, on the fly."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .network import normalize_image


@dataclass
class Shard:
    rgb: np.ndarray  # uint8 (N, T, H, W, 3), memory-mapped
    inverse_depth: np.ndarray  # float16 (N, T, H, W), memory-mapped; 0 is infinitely far, below 0 is unknown

    @property
    def size_hw(self) -> tuple[int, int]:
        return self.rgb.shape[2:4]

    @property
    def num_frames(self) -> int:
        return self.rgb.shape[1]


def read_shard(rgb_path: Path) -> Shard:
    depth_path = rgb_path.with_name(rgb_path.name.replace("_rgb", "_inv"))
    return Shard(np.load(rgb_path, mmap_mode="r"), np.load(depth_path, mmap_mode="r"))


class Pool:
    """The complete shards of a folder. `refresh` picks up those that a running generator has added or taken away."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.shards: dict[str, dict[str, Shard]] = {"stills": {}, "clips": {}}
        self.refresh()

    def refresh(self) -> None:
        # a new table each time: a thread that is drawing keeps the one it began with
        self.shards = {kind: self.complete(kind) for kind in self.shards}

    def complete(self, kind: str) -> dict[str, Shard]:
        known, result = self.shards[kind], {}
        for path in sorted(self.folder.glob(f"{kind}_*_rgb.npy")):
            try:
                result[path.name] = known.get(path.name) or read_shard(path)
            except FileNotFoundError:
                continue  # a ring of shards has dropped it this moment
        return result

    def count(self, kind: str) -> int:
        return sum(len(shard.rgb) for shard in self.shards[kind].values())

    def sources(self) -> list[str]:
        """Where the shards come from: "generator", or the names of the data sets read into the pool."""
        stems = [name.split("_")[2] for known in self.shards.values() for name in known]
        return sorted({stem.split("-")[0] if "-" in stem else "generator" for stem in stems})

    def near_aspect(self, kind: str, size_hw: tuple[int, int], num_frames: int) -> list[list[Shard]]:
        """Shards of `num_frames` or more in groups of one frame size; of those the ones near the wanted shape, if any.

        A pool may hold clips of several lengths: a step that wants long ones passes the short ones by.
        """
        groups: dict[tuple[int, int], list[Shard]] = {}
        for shard in self.shards[kind].values():
            if shard.num_frames >= num_frames:
                groups.setdefault(shard.size_hw, []).append(shard)
        if not groups:
            longest = max((shard.num_frames for shard in self.shards[kind].values()), default=0)
            raise ValueError(
                f"no {kind} of {num_frames} frames in pool {self.folder} (longest: {longest}): "
                "render longer clips with --frames, or ask for fewer frames in the config"
            )
        wanted = size_hw[1] / size_hw[0]
        near = [shards for (h, w), shards in groups.items() if abs(np.log(w / h / wanted)) < 0.35]
        return near or list(groups.values())


def draw(
    pool: Pool,
    kind: str,
    batch: int,
    num_frames: int,
    size_hw: tuple[int, int],
    rng: np.random.Generator,
    device: str = "cpu",
) -> tuple[Tensor, Tensor]:
    """-> images, normalised (B, T, 3, H, W), and inverse depth (B, T, H, W), on `device`.

    Pixels travel to the device as stored, so that there everything but the reading is done.
    """
    groups = pool.near_aspect(kind, size_hw, num_frames)
    counts = np.array([sum(len(shard.rgb) for shard in group) for group in groups], float)
    group = groups[rng.choice(len(groups), p=counts / counts.sum())]
    rgb, inverse_depth = [], []
    for _ in range(batch):
        shard = group[rng.integers(len(group))]
        clip = rng.integers(len(shard.rgb))
        frames = pick_frames(shard.num_frames, num_frames, rng)
        rgb.append(shard.rgb[clip][frames])
        inverse_depth.append(shard.inverse_depth[clip][frames])
    images = torch.from_numpy(np.stack(rgb)).to(device).permute(0, 1, 4, 2, 3).float() / 255
    depth = torch.from_numpy(np.stack(inverse_depth)).to(device).float()
    images, depth = crop(images, depth, size_hw, rng)
    return normalize_image(recolor(images, rng)), depth


def pick_frames(available: int, wanted: int, rng: np.random.Generator) -> np.ndarray:
    """Indices of `wanted` frames in order or backwards, every second one where there are enough."""
    stride = 2 if available >= 2 * wanted and rng.random() < 0.5 else 1
    start = rng.integers(available - (wanted - 1) * stride)
    indices = start + stride * np.arange(wanted)
    return indices[::-1] if rng.random() < 0.5 else indices


def crop(images: Tensor, depth: Tensor, size_hw: tuple[int, int], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """One random window and flip per clip, resampled to `size_hw`.

    A smaller window is a longer lens: inverse depth then differs by a factor only, which the target ignores.
    """
    batch, num_frames, source_h, source_w = depth.shape
    height, width = size_hw
    stretch = (width / height) / (source_w / source_h)  # > 1: the target is wider than the source
    zoom = torch.as_tensor(np.where(rng.random(batch) < 0.6, rng.uniform(0.55, 1, batch), 1)).float()
    jitter = torch.as_tensor(np.exp(0.08 * rng.normal(size=batch))).float()
    zoom_x = (zoom * jitter * min(1, stretch)).clamp(max=1)
    zoom_y = (zoom / jitter * min(1, 1 / stretch)).clamp(max=1)
    theta = torch.zeros(batch, 2, 3)
    theta[:, 0, 0] = zoom_x * torch.as_tensor(np.where(rng.random(batch) < 0.5, -1, 1)).float()
    theta[:, 1, 1] = zoom_y
    theta[:, 0, 2] = torch.as_tensor(rng.uniform(-1, 1, batch)).float() * (1 - zoom_x)
    theta[:, 1, 2] = torch.as_tensor(rng.uniform(-1, 1, batch)).float() * (1 - zoom_y)

    theta = theta.to(depth.device)

    # a source at least 1.6 times finer than the target is read twice as densely and averaged
    finer = 2 if source_h / height * min(1, 1 / stretch) > 1.6 else 1
    dense_grid = F.affine_grid(theta, [batch, 1, height * finer, width * finer], align_corners=False)
    grid = F.affine_grid(theta, [batch, 1, height, width], align_corners=False)
    flat = images.flatten(1, 2)  # frames of a clip share the window: time goes into the channels
    images = F.grid_sample(flat, dense_grid, mode="bilinear", padding_mode="border", align_corners=False)
    images = F.avg_pool2d(images, finer) if finer > 1 else images
    depth = F.grid_sample(depth, grid, mode="nearest", padding_mode="border", align_corners=False)
    return images.unflatten(1, (num_frames, 3)), depth


def recolor(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Gamma, gain, white balance, saturation, noise: one draw per clip, noise per pixel. (B, T, 3, H, W) in 0..1."""
    batch = images.shape[0]

    def factor(spread: float, channels: int = 1) -> Tensor:
        return torch.as_tensor(np.exp(spread * rng.normal(size=(batch, 1, channels, 1, 1)))).float().to(images.device)

    images = images.clamp(min=1e-4) ** factor(0.25) * factor(0.2) * factor(0.1, channels=3)
    gray = images.mean(2, keepdim=True)
    saturation = torch.as_tensor(rng.uniform(0, 1.3, (batch, 1, 1, 1, 1))).float().to(images.device)
    images = gray + (images - gray) * saturation
    noise = torch.as_tensor(0.06 * rng.random((batch, 1, 1, 1, 1)) ** 3).float().to(images.device)
    seeded = torch.Generator(images.device).manual_seed(int(rng.integers(2**31)))
    grain = torch.randn(images.shape, generator=seeded, device=images.device)
    return (images + noise * grain).clamp(0, 1)
