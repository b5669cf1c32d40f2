"""Procedural textures, packed with their mip levels into one table that a shader can gather from."""

import numpy as np
import torch

from .scene import NUM_PATTERNED

SIDE = 128  # texels
LEVELS = 6  # mip levels: 128, 64, 32, 16, 8, 4
LEVEL_OFFSETS = np.cumsum([0] + [(SIDE >> level) ** 2 for level in range(LEVELS)]).tolist()
TEXELS = LEVEL_OFFSETS[-1]  # texels of one texture, all levels


def random_color(rng: np.random.Generator) -> np.ndarray:
    """RGB in 0..1; mostly dull, with skin and wood hues more often than others, and whites not rare."""
    if rng.random() < 0.12:
        return np.clip(rng.uniform(0.82, 1.0) + 0.02 * rng.normal(size=3), 0, 1)
    hue = rng.random() if rng.random() < 0.5 else rng.uniform(0.02, 0.16)
    saturation = rng.beta(1, 6) if rng.random() < 0.65 else rng.beta(1.3, 2)
    value = rng.uniform(0.06, 1)
    k = (np.array([5, 3, 1]) + hue * 6) % 6
    return value - value * saturation * np.clip(np.minimum(k, 4 - k), 0, 1)


def spectral_noise(rng: np.random.Generator, exponent: float, stretch_x: float = 1, stretch_y: float = 1) -> np.ndarray:
    """Tileable noise with a 1/f^exponent spectrum, zero mean, unit variance: (SIDE, SIDE)."""
    fy = np.fft.fftfreq(SIDE)[:, None] * SIDE * stretch_y
    fx = np.fft.rfftfreq(SIDE)[None] * SIDE * stretch_x
    frequency = np.hypot(fx, fy)
    frequency[0, 0] = 1
    spectrum = (rng.normal(size=frequency.shape) + 1j * rng.normal(size=frequency.shape)) * frequency**-exponent
    spectrum[0, 0] = 0
    noise = np.fft.irfft2(spectrum, s=(SIDE, SIDE))
    return noise / (noise.std() + 1e-9)


# Each pattern returns a mask in 0..1 that blends two colours.

V, U = np.mgrid[0:SIDE, 0:SIDE] / SIDE


def plain(rng):
    return 0.5 + 0.08 * rng.random() * spectral_noise(rng, rng.uniform(0.6, 2))


def plaster(rng):
    return 0.5 + 0.3 * spectral_noise(rng, rng.uniform(0.6, 2))


def checker(rng):
    cells = 2 * rng.integers(1, 6)
    return (np.floor(U * cells) + np.floor(V * cells)) % 2


def stripes(rng):
    axis = U if rng.random() < 0.6 else V
    return ((axis * rng.integers(2, 16)) % 1 < rng.uniform(0.2, 0.8)).astype(float)


def tiles(rng):
    """Bricks or tiles: grout lines, and a brightness of its own for each stone."""
    rows = rng.choice([4, 6, 8, 12])
    columns = max(1, int(rows * rng.choice([0.5, 1])))
    row = np.floor(V * rows).astype(int)
    u = U * columns + 0.5 * rng.integers(2) * (row % 2)
    grout = rng.uniform(0.03, 0.12)
    stone = rng.random((rows, columns))[row % rows, np.floor(u).astype(int) % columns]
    return ((u % 1 > grout) & ((V * rows) % 1 > grout)) * (0.6 + 0.4 * stone)


def wood(rng):
    warp = spectral_noise(rng, 1.3, stretch_x=rng.uniform(4, 12))
    return 0.5 + 0.25 * warp + 0.15 * np.sin(2 * np.pi * rng.integers(2, 9) * U + 2 * warp)


def planks(rng):
    count = rng.integers(3, 10)
    tone = rng.random(count)[np.floor(V * count).astype(int) % count]
    grain = spectral_noise(rng, 1.2, stretch_x=0.8, stretch_y=8)
    return (0.25 + 0.5 * tone + 0.15 * grain) * ((V * count) % 1 > 0.05)


def gradient(rng):
    return U if rng.random() < 0.5 else V


def blobs(rng):
    return (spectral_noise(rng, rng.uniform(0.8, 2)) > rng.uniform(-0.6, 0.8)).astype(float)


def facade(rng):
    """Rows of windows, some lit."""
    count = rng.integers(2, 7)
    width, height = rng.uniform(0.3, 0.7), rng.uniform(0.3, 0.8)
    lit = rng.random((count, count))[np.floor(V * count).astype(int), np.floor(U * count).astype(int)]
    return (((U * count) % 1 < width) & ((V * count) % 1 < height)) * (0.6 + 0.4 * lit)


def gravel(rng):
    return 0.5 + 0.3 * spectral_noise(rng, rng.uniform(0, 0.5))


def dots(rng):
    count = rng.integers(2, 8)
    return ((((U * count) % 1 - 0.5) ** 2 + ((V * count) % 1 - 0.5) ** 2) < rng.uniform(0.02, 0.2)).astype(float)


def folds(rng):
    """Curtain-like soft waves."""
    phase = 1.5 * spectral_noise(rng, 2)
    return 0.5 + 0.5 * np.sin(2 * np.pi * rng.integers(3, 12) * U + phase)


PATTERNS = [
    (plain, 0.22), (plaster, 0.14), (checker, 0.06), (stripes, 0.06), (tiles, 0.09), (wood, 0.09), (planks, 0.07),
    (gradient, 0.05), (blobs, 0.05), (facade, 0.04), (gravel, 0.04), (dots, 0.03), (folds, 0.03),
]  # fmt: skip
PAPER_SHARE = 0.06  # posters, book spines, signs: see `paper`


def paper(rng: np.random.Generator) -> np.ndarray:
    """Random rectangles of any colour: (SIDE, SIDE, 3)."""
    image = np.ones((SIDE, SIDE, 3)) * random_color(rng)
    for _ in range(rng.integers(5, 60)):
        x, y = rng.integers(0, SIDE, 2)
        width, height = (rng.gamma(2, 7, 2) + 2).astype(int)
        image[y : y + height, x : x + width] = random_color(rng)
    return image


def texture(rng: np.random.Generator) -> np.ndarray:
    """One RGB texture in 0..1: (SIDE, SIDE, 3)."""
    if rng.random() < PAPER_SHARE:
        image = paper(rng)
    else:
        functions, weights = zip(*PATTERNS)
        pattern = functions[rng.choice(len(functions), p=np.array(weights) / sum(weights))]
        mask = np.clip(pattern(rng), 0, 1)[..., None]
        first, second = random_color(rng), random_color(rng)
        if rng.random() < 0.6:  # two shades of one colour are commoner than two colours
            second = np.clip(first * rng.uniform(0.5, 1.5), 0, 1)
        image = first * (1 - mask) + second * mask
    if rng.random() < 0.5:  # dirt and wear
        dirt = 0.35 * np.clip(0.5 + 0.3 * spectral_noise(rng, 1.8), 0, 1)[..., None]
        image = image * (1 - dirt) + random_color(rng) * dirt
    grain = 0.08 * rng.random() * spectral_noise(rng, rng.uniform(0.6, 2))[..., None]
    return np.clip(image * (1 + grain) + 0.02 * rng.normal(size=(SIDE, SIDE, 1)), 0, 1)


def white_paint(rng: np.random.Generator) -> np.ndarray:
    """Nearly nothing to hold on to: (SIDE, SIDE, 3)."""
    color = np.clip(rng.uniform(0.8, 0.98) + 0.015 * rng.normal(size=3), 0, 1)
    unevenness = 0.02 * rng.random() * spectral_noise(rng, rng.uniform(1, 2))[..., None]
    return np.clip(color * (1 + unevenness), 0, 1)


def build_atlas(seed: int, count: int) -> torch.Tensor:
    """`count` textures with all mip levels: float32 (count * TEXELS, 3), texture after texture."""
    rng, white_rng = np.random.default_rng(seed), np.random.default_rng([seed, NUM_PATTERNED])
    levels = []
    for index in range(count):
        image = (texture(rng) if index < NUM_PATTERNED else white_paint(white_rng)).astype(np.float32)
        for _ in range(LEVELS):
            levels.append(image.reshape(-1, 3))
            half = image.shape[0] // 2
            image = image.reshape(half, 2, half, 2, 3).mean((1, 3))
    return torch.from_numpy(np.concatenate(levels))
