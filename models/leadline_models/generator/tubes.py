"""Round things along a line: limbs, pipes, bent frames, and the folds of cloth."""

import numpy as np

from .scene import BOX, CYLINDER, ELLIPSOID, Material, Placement

Point = tuple[float, float, float]


def along(direction: np.ndarray) -> np.ndarray:
    """A rotation whose second column, a cylinder's axis, is `direction`."""
    y = direction / np.linalg.norm(direction)
    helper = np.array([1.0, 0, 0]) if abs(y[0]) < 0.9 else np.array([0, 0, 1.0])
    x = np.cross(y, helper)
    x /= np.linalg.norm(x)
    return np.stack([x, y, np.cross(x, y)], 1)


def tube(at: Placement, points: list[Point], radius: float, material: Material) -> None:
    """Straight pieces from point to point, in the thing's own frame."""
    for start, end in zip(np.array(points, float), np.array(points, float)[1:]):
        middle, half = (start + end) / 2, np.linalg.norm(end - start) / 2
        at.part(CYLINDER, middle, (radius, half + radius * 0.5, radius), material, along(end - start))


def arc_lamp(at: Placement) -> None:
    s = at.scene
    height, reach, material = s.uniform(1.4, 2), s.uniform(0.5, 1.1), s.material(tile_m=1)
    angles = np.linspace(0, s.uniform(2, 2.8), 5)
    points = [(0, 0, 0), *((reach * (1 - np.cos(a)), height * 0.6 + 0.4 * height * np.sin(a), 0) for a in angles)]
    tube(at, points, 0.018, material)
    at.part(ELLIPSOID, points[-1], (0.16, 0.11, 0.16), s.material(emission=s.uniform(0, 1)))
    at.part(CYLINDER, (0, 0.02, 0), (0.2, 0.02, 0.2), material)


def tube_chair(at: Placement) -> None:
    s = at.scene
    w, seat, back, frame = s.uniform(0.2, 0.28), s.uniform(0.42, 0.5), s.uniform(0.8, 1), s.material(tile_m=1)
    for side in (-w, w):
        tube(at, [(side, 0, w), (side, seat, w), (side, seat, -w), (side, back, -w * 1.2)], 0.016, frame)
    cloth = s.material(tile_m=0.5)
    at.part(BOX, (0, seat, 0), (w, 0.02, w), cloth)
    at.part(BOX, (0, back - 0.12, -w * 1.15), (w, 0.13, 0.02), cloth)


def armchair(at: Placement) -> None:
    """Round arms and back: cylinders that lie, a seat between them."""
    s = at.scene
    w, h, roll, cloth = s.uniform(0.35, 0.9), s.uniform(0.2, 0.26), s.uniform(0.1, 0.17), s.material(tile_m=0.7)
    at.part(BOX, (0, h, 0), (w, h, 0.4), cloth)
    for side in (-w, w):
        tube(at, [(side, 2 * h + roll * 0.6, -0.4), (side, 2 * h + roll * 0.6, 0.4)], roll, cloth)
    tube(at, [(-w, 2 * h + 0.3, -0.38), (w, 2 * h + 0.3, -0.38)], roll * 1.2, cloth)
    at.part(BOX, (0, 2 * h + 0.12, -0.38), (w, 0.2, roll), cloth)
    at.part(ELLIPSOID, (s.uniform(-0.4, 0.4) * w, 2 * h + 0.12, -0.1), (0.22, 0.18, 0.1))


def round_table(at: Placement) -> None:
    s = at.scene
    r, h, material = s.uniform(0.25, 0.75), s.uniform(0.4, 0.78), s.material()
    at.part(CYLINDER, (0, h, 0), (r, 0.02, r * s.uniform(0.7, 1)), material)
    at.part(CYLINDER, (0, h / 2, 0), (0.05, h / 2, 0.05), material)
    at.part(ELLIPSOID, (0, 0.02, 0), (r * 0.6, 0.05, r * 0.6), material)
    for _ in range(s.rng.integers(0, 3)):  # vases and bowls
        half = s.uniform(0.05, 0.16)
        offset = (s.uniform(-0.5, 0.5) * r, h + half, s.uniform(-0.5, 0.5) * r)
        at.part(ELLIPSOID, offset, (half * s.uniform(0.4, 1.2), half, half * s.uniform(0.4, 1.2)))


def radiator(at: Placement) -> None:
    s = at.scene
    h, count, material = s.uniform(0.25, 0.4), int(s.rng.integers(5, 9)), s.white()
    for index in range(count):
        at.part(CYLINDER, (0.09 * (index - count / 2), h + 0.1, 0), (0.035, h, 0.06), material)


def pipes(at: Placement) -> None:
    s = at.scene
    radius, height, length, material = (
        s.uniform(0.02, 0.08),
        s.uniform(0.3, 2.2),
        s.uniform(0.5, 2),
        s.material(tile_m=1),
    )
    tube(at, [(-length, 0, 0), (-length, height, 0), (length, height, 0), (length, height + 1.5, 0)], radius, material)


def curtain(at: Placement) -> None:
    """Cloth in folds: flat round columns side by side, each a little before or behind the next."""
    s = at.scene
    count, width, half = int(s.rng.integers(5, 9)), s.uniform(0.07, 0.14), s.uniform(0.8, 1.4)
    material = s.white() if s.chance(0.35) else s.material(tile_m=s.uniform(0.3, 1))
    for index in range(count):
        offset = (width * 1.6 * (index - count / 2), half + 0.03, s.uniform(-0.03, 0.03))
        at.part(CYLINDER, offset, (width, half, width * s.uniform(0.35, 0.8)), material)
