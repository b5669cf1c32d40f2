"""What a camera does to light: exposure, tone curve, blur, noise, JPEG. Drawn once per clip, on the render's device."""

import io
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor


@dataclass(frozen=True)
class CameraLook:
    gain_stops: float  # exposure error relative to a metered mid-grey
    gamma: float
    contrast: float
    white_balance: tuple[float, float, float]
    vignette: float
    blur_sigma_px: float
    motion_blur_px: int  # 0 for none
    motion_blur_angle: float
    noise: float
    flicker: float  # frame-to-frame brightness wobble
    jpeg_quality: int  # 0 for none


def sample_look(rng: np.random.Generator) -> CameraLook:
    gain_stops = rng.normal() * 0.35
    if rng.random() < 0.1:  # burnt-out windows and skies, or murky nights
        gain_stops = rng.choice([-1.2, 1.6]) * rng.uniform(0.6, 1.2)
    return CameraLook(
        gain_stops=gain_stops,
        gamma=rng.uniform(0.65, 1.05),
        contrast=rng.uniform(0.8, 1.25),
        white_balance=tuple(1 + 0.07 * rng.normal(size=3)),
        vignette=rng.uniform(0, 0.35) if rng.random() < 0.5 else 0.0,
        blur_sigma_px=rng.uniform(0.35, 0.65) if rng.random() < 0.7 else rng.uniform(0.65, 1.3),
        motion_blur_px=int(rng.integers(3, 8)) if rng.random() < 0.12 else 0,
        motion_blur_angle=rng.uniform(0, np.pi),
        noise=rng.uniform(0, 0.01) if rng.random() < 0.8 else rng.uniform(0.01, 0.04),
        flicker=0.015 if rng.random() < 0.3 else 0.0,
        jpeg_quality=int(rng.integers(35, 95)) if rng.random() < 0.5 else 0,
    )


def photograph(linear_rgb: Tensor, look: CameraLook, rng: np.random.Generator) -> np.ndarray:
    """Linear RGB (T, H, W, 3) -> uint8 (T, H, W, 3)."""
    num_frames, height, width, _ = linear_rgb.shape
    device = linear_rgb.device
    metered = 0.6 / float(linear_rgb.mean(-1).median().clamp(min=0.12)) ** 0.75
    wobble = 1 + look.flicker * torch.as_tensor(rng.normal(size=(num_frames, 1, 1, 1)), dtype=torch.float32)
    gain = metered * 2**look.gain_stops * wobble.to(device) * torch.tensor(look.white_balance, device=device).float()
    y, x = torch.linspace(-1, 1, height, device=device)[:, None], torch.linspace(-1, 1, width, device=device)
    falloff = (1 - look.vignette * (x * x + y * y) / 2)[..., None]

    image = (linear_rgb * gain * falloff).clamp(min=0)
    image = image / (1 + 0.25 * (image - 0.6).clamp(min=0))  # highlights roll off before they clip
    image = (image.clamp(0, 1) ** look.gamma - 0.45) * look.contrast + 0.45
    kernel = blur_kernel(look).to(device).expand(3, 1, -1, -1)
    image = F.conv2d(F.pad(image.permute(0, 3, 1, 2), (4, 4, 4, 4), mode="replicate"), kernel, groups=3)
    seeded = torch.Generator().manual_seed(int(rng.integers(2**31)))
    image = image + look.noise * torch.randn(image.shape, generator=seeded).to(device)
    pixels = (image.clamp(0, 1) * 255 + 0.5).to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    return np.stack([jpeg(frame, look.jpeg_quality) for frame in pixels]) if look.jpeg_quality else pixels


def blur_kernel(look: CameraLook) -> Tensor:
    """Lens blur, swept along a line when the camera moved during the exposure: (9, 9), sums to one."""
    offset = torch.arange(9) - 4.0
    steps = torch.linspace(-0.5, 0.5, max(look.motion_blur_px, 1)) * max(look.motion_blur_px - 1, 0)
    x = offset[None, :, None] - steps * np.cos(look.motion_blur_angle)
    y = offset[:, None, None] - steps * np.sin(look.motion_blur_angle)
    kernel = torch.exp(-(x * x + y * y) / (2 * look.blur_sigma_px**2)).sum(-1)
    return (kernel / kernel.sum()).float()


def jpeg(pixels: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="JPEG", quality=quality)
    return np.asarray(Image.open(buffer))
