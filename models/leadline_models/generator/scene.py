"""What a scene is made of: primitives with materials, a room or open ground, light, fog and sky.

World: metres, y up. A scene composer fills a `Scene`; `pack.py` turns it into tensors.
"""

from dataclasses import dataclass, field

import numpy as np

NUM_PATTERNED = 320
NUM_WHITE = 16  # plain paint, after the others
NUM_TEXTURES = NUM_PATTERNED + NUM_WHITE

BOX, ELLIPSOID, CYLINDER = 0, 1, 2  # a cylinder's axis is its local y


def rotation_x(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def rotation_y(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def rotation_z(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


@dataclass
class Material:
    texture: int
    tile_m: float  # metres covered by one texture tile
    tint: np.ndarray  # RGB factor
    offset: np.ndarray  # texture offset in tiles, (2,)
    emission: float = 0.0  # 1 glows at full texture brightness
    gloss: float = 0.0


@dataclass
class Primitive:
    shape: int
    center: np.ndarray  # (3,)
    half_size: np.ndarray  # (3,), along the local axes
    rotation: np.ndarray  # (3, 3), columns are the local axes in world coordinates
    material: Material
    velocity: np.ndarray  # m/s
    spin: float = 0.0  # rad/s about the world's y


@dataclass
class Sky:
    zenith: np.ndarray
    horizon: np.ndarray
    cloud_contrast: float


@dataclass
class Sheet:
    """A rectangle that mirrors, and lets through what it does not mirror."""

    center: np.ndarray  # (3,)
    axes: np.ndarray  # (3, 3), rows are the two sides and the normal
    half_size: np.ndarray  # (2,), metres along the sides
    strength: float  # share that is mirrored at a grazing look
    ripple: float = 0.0  # unevenness


@dataclass
class Scene:
    """The rng travels with the scene, so that a scene is a pure function of its seed."""

    rng: np.random.Generator
    primitives: list[Primitive] = field(default_factory=list)
    room_low: np.ndarray = field(default_factory=lambda: np.array([-1e4, 0, -1e4]))  # open air: only the ground counts
    room_high: np.ndarray = field(default_factory=lambda: np.array([1e4, 1e4, 1e4]))
    faces: list[Material] = field(default_factory=list)  # -x, +x, floor, ceiling, -z, +z
    is_outdoor: bool = False
    light: np.ndarray = field(default_factory=lambda: np.zeros(3))  # position; the sun is a far one
    light_color: np.ndarray = field(default_factory=lambda: np.ones(3))
    ambient: float = 0.5
    shadow_strength: float = 0.9  # 0 leaves direct light in the shadow
    fog_per_m: float = 0.0
    sky: Sky | None = None
    sheet: Sheet | None = None
    is_varied: bool = True  # false: composed as in version 1 of the generator, of which the hold-out is

    def uniform(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def log_uniform(self, low: float, high: float) -> float:
        return float(np.exp(self.rng.uniform(np.log(low), np.log(high))))

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def choose(self, weighted: dict):
        names, weights = list(weighted), np.array(list(weighted.values()), float)
        return names[self.rng.choice(len(names), p=weights / weights.sum())]

    def material(self, tile_m: float | None = None, tint=None, emission: float = 0.0) -> Material:
        rng = self.rng
        if tint is None:
            tint = np.clip(rng.uniform(0.5, 1.1) + 0.15 * rng.normal(size=3), 0.15, 1.2)
        gloss = rng.uniform(0.1, 0.7) if rng.random() < 0.3 else 0.0
        texture = int(rng.integers(NUM_PATTERNED))
        return Material(
            texture, tile_m or self.log_uniform(0.25, 3), np.asarray(tint, float), rng.random(2), emission, gloss
        )

    def white(self) -> Material:
        """Plain light paint."""
        texture = NUM_PATTERNED + int(self.rng.integers(NUM_WHITE))
        return Material(texture, self.log_uniform(0.5, 3), self.gray(0.85, 1.1), self.rng.random(2))

    def gray(self, low: float, high: float) -> np.ndarray:
        return np.ones(3) * self.uniform(low, high)

    def add(self, shape, center, half_size, rotation=None, material=None, velocity=(0, 0, 0), spin=0.0) -> None:
        self.primitives.append(
            Primitive(
                shape=int(shape),
                center=np.asarray(center, float),
                half_size=np.maximum(np.asarray(half_size, float), 0.004),
                rotation=np.eye(3) if rotation is None else rotation,
                material=material or self.material(),
                velocity=np.asarray(velocity, float),
                spin=spin,
            )
        )


@dataclass
class Placement:
    """Where an object stands. Its parts are given in its own frame: x right, y up, z front."""

    scene: Scene
    x: float
    z: float
    yaw: float
    y: float = 0.0
    velocity: np.ndarray = field(default_factory=lambda: np.zeros(3))

    def part(self, shape, offset, half_size, material=None, tilt=None) -> None:
        turn = rotation_y(self.yaw)
        center = np.array([self.x, self.y, self.z]) + turn @ np.asarray(offset, float)
        rotation = turn if tilt is None else turn @ tilt
        self.scene.add(shape, center, half_size, rotation, material, self.velocity)
