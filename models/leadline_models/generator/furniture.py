"""Things that stand in rooms, composed of primitives. Sizes in metres, half extents."""

from .scene import BOX, CYLINDER, ELLIPSOID, Placement, rotation_x, rotation_y, rotation_z

ANY_SHAPE = {BOX: 1, ELLIPSOID: 1, CYLINDER: 1}
CORNERS = [(-1, -1), (-1, 1), (1, -1), (1, 1)]


def clutter(at: Placement, width: float, depth: float, top: float, count: int) -> None:
    """Small things on a surface of the given half width and half depth."""
    s = at.scene
    for _ in range(count):
        h = s.uniform(0.03, 0.18)
        offset = (s.uniform(-0.8, 0.8) * width, top + h, s.uniform(-0.8, 0.8) * depth)
        at.part(s.choose(ANY_SHAPE), offset, (s.uniform(0.03, 0.2), h, s.uniform(0.03, 0.2)))


def table(at: Placement) -> None:
    s = at.scene
    w, d, h, thick = s.uniform(0.3, 1), s.uniform(0.25, 0.6), s.uniform(0.35, 0.8), s.uniform(0.015, 0.04)
    material, leg = s.material(), s.choose({BOX: 1, CYLINDER: 1})
    at.part(BOX, (0, h, 0), (w, thick, d), material)
    for x, z in CORNERS:
        at.part(leg, (x * w * 0.9, h / 2, z * d * 0.9), (0.03, h / 2, 0.03), material)
    clutter(at, w, d, h + thick, s.rng.integers(0, 4))


def chair(at: Placement) -> None:
    s = at.scene
    w, h, material = s.uniform(0.2, 0.3), s.uniform(0.38, 0.5), s.material()
    at.part(BOX, (0, h, 0), (w, 0.03, w), material)
    at.part(BOX, (0, h + 0.3, -w), (w, 0.28, 0.03), material, rotation_x(s.uniform(-0.15, 0)))
    if s.chance(0.3):  # office chair: one column
        at.part(CYLINDER, (0, h / 2, 0), (0.035, h / 2, 0.035))
        at.part(CYLINDER, (0, 0.05, 0), (w, 0.03, w))
        return
    for x, z in CORNERS:
        at.part(BOX, (x * w * 0.9, h / 2, z * w * 0.9), (0.02, h / 2, 0.02), material)


def sofa(at: Placement) -> None:
    s = at.scene
    w, d, h, material = s.uniform(0.35, 1.2), s.uniform(0.35, 0.55), s.uniform(0.18, 0.25), s.material()
    at.part(BOX, (0, h, 0), (w, h, d), material)
    at.part(BOX, (0, 2 * h + 0.2, -d * 0.8), (w, s.uniform(0.25, 0.35), d * 0.22), material)
    for side in (-1, 1):
        at.part(BOX, (side * w, h + 0.12, 0), (0.1, h + 0.12, d), material)
    if s.chance(0.6):
        at.part(ELLIPSOID, (s.uniform(-0.6, 0.6) * w, 2 * h + 0.15, -0.2 * d), (0.2, 0.17, 0.09))


def shelf(at: Placement) -> None:
    s = at.scene
    w, d, h, boards = s.uniform(0.3, 0.8), s.uniform(0.12, 0.3), s.uniform(0.5, 1.2), int(s.rng.integers(2, 5))
    material = s.material()
    at.part(BOX, (0, h, -d), (w, h, 0.02))
    for side in (-1, 1):
        at.part(BOX, (side * w, h, 0), (0.02, h, d), material)
    heights = [2 * h * (board + 0.5) / boards for board in range(boards)]
    for y in heights:
        at.part(BOX, (0, y, 0), (w, 0.015, d), material)
    for _ in range(s.rng.integers(1, 5)):
        half = s.uniform(0.05, 0.16)
        offset = (s.uniform(-0.7, 0.7) * w, heights[s.rng.integers(boards)] + half, 0)
        at.part(BOX, offset, (s.uniform(0.05, 0.25), half, d * 0.7), s.material(tile_m=0.3))


def cabinet(at: Placement) -> None:
    s = at.scene
    w, d, h = s.uniform(0.2, 0.9), s.uniform(0.2, 0.4), s.uniform(0.25, 1.1)
    at.part(BOX, (0, h, 0), (w, h, d))
    if h < 0.6:
        clutter(at, w, d, 2 * h, s.rng.integers(0, 3))


def bed(at: Placement) -> None:
    s = at.scene
    w, material = s.uniform(0.5, 1), s.material()
    at.part(BOX, (0, 0.25, 0), (w, 0.25, 1), material)
    at.part(BOX, (0, 0.6, -1), (w, 0.35, 0.04))
    at.part(ELLIPSOID, (0, 0.55, -0.75), (w * 0.7, 0.12, 0.2))


def lamp(at: Placement) -> None:
    s = at.scene
    h = s.uniform(0.5, 0.9)
    at.part(CYLINDER, (0, h, 0), (0.015, h, 0.015))
    shade = (s.uniform(0.1, 0.25), 0.15, s.uniform(0.1, 0.25))
    at.part(s.choose({ELLIPSOID: 1, CYLINDER: 1}), (0, 2 * h, 0), shade, s.material(emission=s.uniform(0, 1)))


def plant(at: Placement) -> None:
    s = at.scene
    pot = s.uniform(0.1, 0.25)
    at.part(CYLINDER, (0, pot, 0), (pot * 0.7, pot, pot * 0.7))
    for _ in range(s.rng.integers(1, 5)):
        green = (s.uniform(0.2, 0.6), s.uniform(0.4, 1), s.uniform(0.15, 0.5))
        tilt = rotation_y(s.uniform(0, 6.3)) @ rotation_x(s.uniform(-0.6, 0.6))
        offset = (s.uniform(-0.15, 0.15), 2 * pot + s.uniform(0.1, 0.5), s.uniform(-0.15, 0.15))
        leaf = (s.uniform(0.06, 0.25), s.uniform(0.1, 0.35), s.uniform(0.06, 0.25))
        at.part(ELLIPSOID, offset, leaf, s.material(tile_m=0.4, tint=green), tilt)


def solid(at: Placement) -> None:
    """One upright primitive: bins, stools, balls, boxes."""
    s = at.scene
    h = s.uniform(0.08, 0.6)
    at.part(s.choose(ANY_SHAPE), (0, h, 0), (s.uniform(0.08, 0.6), h, s.uniform(0.08, 0.6)))


def tilted(at: Placement) -> None:
    s = at.scene
    tilt = rotation_y(s.uniform(0, 6.3)) @ rotation_x(s.uniform(-1, 1)) @ rotation_z(s.uniform(-1, 1))
    size = (s.uniform(0.05, 0.9), s.uniform(0.01, 0.3), s.uniform(0.05, 0.9))
    at.part(s.choose(ANY_SHAPE), (0, s.uniform(0.2, 0.9), 0), size, None, tilt)


def person(at: Placement) -> None:
    s = at.scene
    clothes, trousers, stride = s.material(tile_m=0.6), s.material(tile_m=0.6), s.uniform(-0.35, 0.35)
    for side in (-1, 1):
        leg = rotation_x(side * stride)
        at.part(CYLINDER, (side * 0.1, 0.42, -side * stride * 0.4), (0.08, 0.42, 0.08), trousers, leg)
    at.part(ELLIPSOID, (0, 1.15, 0), (0.24, 0.38, 0.15), clothes)
    skin = (1 * s.uniform(0.3, 1), 0.8 * s.uniform(0.35, 1), 0.65 * s.uniform(0.35, 1))
    at.part(ELLIPSOID, (0, 1.62, 0), (0.11, 0.14, 0.12), s.material(tint=skin))
    if s.chance(0.4):  # a bag, or arms held out
        at.part(s.choose({BOX: 1, CYLINDER: 1}), (0.3, 0.95, 0.05), (0.07, 0.25, 0.12), clothes)


FURNITURE = {
    table: 0.14, chair: 0.14, sofa: 0.11, shelf: 0.12, cabinet: 0.14, bed: 0.05, lamp: 0.05,
    plant: 0.07, solid: 0.1, tilted: 0.04, person: 0.04,
}  # fmt: skip
