"""Things that stand outdoors. Sizes in metres, half extents."""

import math

from .furniture import cabinet, person, solid, tilted
from .scene import BOX, CYLINDER, ELLIPSOID, Placement, rotation_x, rotation_z


def car(at: Placement) -> None:
    s = at.scene
    height = s.choose({0.28: 3, 0.55: 1})  # cars, and vans
    at.part(BOX, (0, 0.55, 0), (0.85, 0.3, 2.1), s.material(tile_m=3))
    at.part(
        BOX, (0, 0.85 + height, -0.1), (0.74, height, s.uniform(1.0, 1.9)), s.material(tile_m=3, tint=s.gray(0.1, 0.5))
    )
    tyre = s.material(tint=s.gray(0.15, 0.25))
    for x in (-0.8, 0.8):
        for z in (-1.3, 1.3):
            at.part(ELLIPSOID, (x, 0.32, z), (0.12, 0.32, 0.32), tyre)


def tree(at: Placement) -> None:
    s = at.scene
    h, trunk = s.uniform(0.8, 2.5), s.uniform(0.06, 0.3)
    at.part(CYLINDER, (0, h, 0), (trunk, h, trunk))
    green = (s.uniform(0.2, 0.6), s.uniform(0.35, 0.9), s.uniform(0.1, 0.4))
    for _ in range(s.rng.integers(1, 4)):
        r = s.uniform(0.6, 2)
        offset = (s.uniform(-0.8, 0.8), 2 * h + s.uniform(-0.2, 1), s.uniform(-0.8, 0.8))
        at.part(ELLIPSOID, offset, (r, r * s.uniform(0.6, 1.3), r), s.material(tile_m=s.uniform(0.8, 3), tint=green))


def pole(at: Placement) -> None:
    s = at.scene
    h = s.uniform(1.5, 4)
    at.part(CYLINDER, (0, h, 0), (0.06, h, 0.06))
    at.part(BOX, (0.3, 2 * h, 0), (0.4, 0.08, 0.1), s.material(emission=s.uniform(0, 0.6)))


def sign(at: Placement) -> None:
    s = at.scene
    h = s.uniform(1, 2.5)
    at.part(CYLINDER, (0, h, 0), (0.04, h, 0.04))
    board = (s.uniform(0.15, 0.6), s.uniform(0.15, 0.8), 0.03)
    at.part(BOX, (0, 2 * h, 0.04), board, s.material(tile_m=1, emission=s.uniform(0, 0.8)))


def building(at: Placement) -> None:
    s = at.scene
    h = s.uniform(2, 14)
    at.part(BOX, (0, h, 0), (s.uniform(2, 9), h, s.uniform(2, 9)), s.material(tile_m=s.uniform(2, 8)))


def rock(at: Placement) -> None:
    s = at.scene
    r = s.uniform(0.15, 1.2)
    size = (r * s.uniform(0.6, 1.6), r, r * s.uniform(0.6, 1.6))
    at.part(ELLIPSOID, (0, r * 0.4, 0), size, None, rotation_x(s.uniform(-0.5, 0.5)))


def fence(at: Placement) -> None:
    s = at.scene
    h = s.uniform(0.3, 0.9)
    at.part(BOX, (0, h, 0), (s.uniform(1, 5), h, 0.05))


def railing(at: Placement) -> None:
    """Thin posts and bars, with the view open between them."""
    s = at.scene
    half, h, material, posts = s.uniform(1, 4), s.uniform(0.8, 1.2), s.material(), int(s.rng.integers(2, 6))
    for bar in range(s.rng.integers(1, 4)):
        at.part(BOX, (0, h * (1 - 0.3 * bar), 0), (half, 0.025, 0.025), material)
    for post in range(posts):
        at.part(CYLINDER, (half * (2 * post / (posts - 1) - 1), h / 2, 0), (0.025, h / 2, 0.025), material)


def truss(at: Placement) -> None:
    """A lattice: uprights, cross bars and diagonals, as in scaffolds, cranes and roller coasters."""
    s = at.scene
    width, cell, tube, material = s.uniform(0.5, 2), s.uniform(0.6, 2), s.uniform(0.03, 0.12), s.material(tile_m=2)
    cells = int(s.rng.integers(2, 5))
    for side in (-1, 1):
        at.part(CYLINDER, (side * width, cells * cell / 2, 0), (tube, cells * cell / 2, tube), material)
    angle = s.rng.choice([-1, 1]) * math.atan2(2 * width, cell)
    for index in range(cells):
        at.part(BOX, (0, (index + 1) * cell, 0), (width, tube * 0.8, tube * 0.8), material)
        half_diagonal = (width**2 + cell**2 / 4) ** 0.5
        at.part(BOX, (0, (index + 0.5) * cell, 0), (tube * 0.6, half_diagonal, tube * 0.6), material, rotation_z(angle))


def hill(at: Placement) -> None:
    s = at.scene
    r = s.uniform(10, 40)
    at.part(ELLIPSOID, (0, -r * 0.2, 0), (r, r * s.uniform(0.3, 0.6), r), s.material(tile_m=6))


OUTDOOR_THINGS = {
    person: 0.24, car: 0.14, tree: 0.18, pole: 0.07, sign: 0.05, rock: 0.06, fence: 0.05, railing: 0.04, truss: 0.05,
    solid: 0.05, building: 0.03, tilted: 0.02, cabinet: 0.02,
}  # fmt: skip
BACKDROPS = {building: 1, hill: 1}
