"""People with jointed limbs, who walk, stand, sit or reach out. Sizes in metres."""

import math

import numpy as np

from .scene import BOX, ELLIPSOID, Placement
from .tubes import tube


def limbed_person(at: Placement) -> None:
    s = at.scene
    size = s.uniform(0.62, 0.8) if s.chance(0.12) else s.uniform(0.92, 1.08)  # children
    clothes, trousers = s.material(tile_m=0.6), s.material(tile_m=0.6)
    skin = s.material(tile_m=1, tint=np.array([1, 0.78, 0.62]) * s.uniform(0.35, 1))
    is_seated = s.chance(0.2)
    hip = (0.5 if is_seated else 0.92) * size
    stride = 0.0 if is_seated else s.uniform(-0.5, 0.5)
    chest, shoulder = hip + 0.3 * size, hip + 0.5 * size

    for side in (-1, 1):
        hip_point = (0.1 * side * size, hip, 0)
        if is_seated:
            knee, foot = (0.11 * side * size, hip, 0.42 * size), (0.11 * side * size, 0.05, 0.45 * size)
        else:
            knee = swung(hip_point, side * stride, 0.45 * size)
            foot = swung(knee, side * stride * 0.4 - abs(stride) * 0.3, 0.45 * size)
        tube(at, [hip_point, knee], 0.075 * size, trousers)
        tube(at, [knee, foot], 0.055 * size, trousers)

        arm = (0.22 * side * size, shoulder, 0)
        is_reaching = s.chance(0.25)
        lift = s.uniform(0.6, 2.4) if is_reaching else -side * stride * 0.8
        elbow = swung(arm, lift, 0.29 * size, outwards=0.08 * side)
        hand = swung(elbow, lift + s.uniform(0.1, 1.2), 0.27 * size)
        tube(at, [arm, elbow], 0.05 * size, clothes)
        tube(at, [elbow, hand], 0.04 * size, clothes if s.chance(0.5) else skin)
    at.part(ELLIPSOID, (0, chest, 0), (0.22 * size, 0.33 * size, 0.13 * size), clothes)
    at.part(ELLIPSOID, (0, shoulder + 0.24 * size, 0.01), (0.09 * size, 0.125 * size, 0.1 * size), skin)
    if s.chance(0.3):  # a rucksack or a bag
        at.part(BOX, (0, chest + 0.05, -0.2 * size), (0.14 * size, 0.2 * size, 0.08 * size))


def swung(joint: tuple[float, float, float], angle: float, length: float, outwards: float = 0.0):
    """The end of a limb that hangs from a joint; positive angles lift it forwards."""
    x, y, z = joint
    return (x + outwards, max(y - length * math.cos(angle), 0.03), z + length * math.sin(angle))
