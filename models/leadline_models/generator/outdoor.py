"""Composes streets, squares and country, by day, in fog and at night; and weightless abstract scenes."""

import numpy as np

from .camera_track import View
from .furniture import ANY_SHAPE, person
from .scene import BOX, Placement, Scene, Sky, rotation_x, rotation_y, rotation_z
from .street import BACKDROPS, OUTDOOR_THINGS, building, car, truss


def compose_outdoor(scene: Scene) -> View:
    s = scene
    s.is_outdoor = True
    s.faces = [s.material(tile_m=s.uniform(1, 8)) for _ in range(6)]
    eye_m = s.log_uniform(0.7, 7)
    if s.chance(0.6):
        build_street(s)
    else:
        for _ in range(s.rng.integers(0, 7)):
            angle, distance = s.uniform(-0.8, 0.8), s.uniform(15, 90)
            backdrop = s.choose(BACKDROPS)
            backdrop(Placement(s, distance * np.sin(angle), distance * np.cos(angle), s.uniform(0, 6.3)))
    crowd = s.chance(0.15)
    for _ in range(s.rng.integers(3, 13)):
        stand_thing(s, person if crowd and s.chance(0.7) else s.choose(OUTDOOR_THINGS))
    light_outdoors(s)
    pitch = np.deg2rad(s.rng.normal() * 8 - 3 - 1.2 * min(eye_m, 8))
    if s.chance(0.12):  # looking up at roofs, crowns and trusses, or steeply down
        pitch = s.uniform(-0.9, 0.7)
    speed = s.uniform(0, 4) if s.chance(0.8) else s.uniform(4, 12)
    return View(np.array([0, eye_m, 0]), 0.15 * s.rng.normal(), pitch, speed, drift_angle=0.5)


def build_street(s: Scene) -> None:
    for side in (-1, 1):
        kerb = s.uniform(3, 10)
        z = s.uniform(-2, 6)
        row_material = s.material(tile_m=s.uniform(2, 6))
        if s.chance(0.85):
            while z < 75 and len(s.primitives) < 20:
                length, height = s.uniform(2, 9), s.uniform(1.5, 11)
                material = row_material if s.chance(0.3) else s.material(tile_m=s.uniform(2, 7))
                s.add(
                    BOX,
                    (side * (kerb + 4 + s.uniform(0, 1.5)), height, z + length),
                    (4, height, length),
                    None,
                    material,
                )
                if s.chance(0.3):  # an awning or a shop sign over the pavement
                    glow = s.material(tile_m=1, emission=s.uniform(0, 1.2))
                    s.add(
                        BOX,
                        (side * (kerb - 0.2), s.uniform(2.2, 4), z + s.uniform(0, length)),
                        (0.5, s.uniform(0.1, 0.6), 0.3),
                        None,
                        glow,
                    )
                z += 2 * length + (s.uniform(0, 3) if s.chance(0.4) else 0)
        if s.chance(0.5):
            s.add(
                BOX,
                (side * kerb * 0.95, 0.03, 40),
                (s.uniform(0.5, 1.5), 0.1, 60),
                None,
                s.material(tile_m=s.uniform(0.5, 3)),
            )
    road = s.material(tile_m=s.uniform(2, 8), tint=s.gray(0.3, 0.9))
    s.add(BOX, (s.uniform(-1, 1), 0, 40), (s.uniform(1.5, 4), 0.01, 80), None, road)


def stand_thing(s: Scene, build) -> None:
    angle, distance = s.uniform(-0.75, 0.75), s.log_uniform(2.5, 35)
    if build is building or build is truss:
        distance += 10 if build is building else 3
    velocity, yaw = np.zeros(3), s.uniform(0, 6.3)
    if build in (person, car) and s.chance(0.6):
        yaw = s.uniform(0, 6.3) if build is person else float(s.rng.choice([0, np.pi]))
        pace = s.uniform(0.5, 1.8) if build is person else s.uniform(2, 9)
        velocity = np.array([np.sin(yaw), 0, np.cos(yaw)]) * pace
    build(Placement(s, distance * np.sin(angle), distance * np.cos(angle), yaw, velocity=velocity))


def light_outdoors(s: Scene) -> None:
    elevation, azimuth = s.uniform(0.25, 1.4), s.uniform(0, 6.3)
    toward_sun = np.array([np.cos(elevation) * np.sin(azimuth), np.sin(elevation), np.cos(elevation) * np.cos(azimuth)])
    s.light = toward_sun * 3e3
    s.ambient = s.uniform(0.3, 0.95)  # near 1 is an overcast day
    s.fog_per_m = 1 / s.uniform(15, 150) if s.chance(0.35) else 0.0
    tone = s.uniform(0.5, 1.1)
    blue = np.clip(np.array([0.45, 0.65, 0.95]) * tone + 0.08 * s.rng.normal(size=3), 0, 1)
    pale = np.clip(s.uniform(0.6, 1) + 0.06 * s.rng.normal(size=3), 0, 1)
    s.sky = Sky(zenith=pale * 0.95 if s.chance(0.3) else blue, horizon=pale, cloud_contrast=s.uniform(0, 0.6))
    if s.chance(0.13):
        turn_to_night(s)


def turn_to_night(s: Scene) -> None:
    """Dim sky and lamp-like light from near by; what glows, glows more."""
    s.sky = Sky(zenith=s.rng.uniform(0.0, 0.06, 3), horizon=s.rng.uniform(0.02, 0.15, 3), cloud_contrast=0.2)
    s.ambient = s.uniform(0.1, 0.35)
    s.light = np.array([s.uniform(-8, 8), s.uniform(4, 15), s.uniform(0, 25)])
    s.light_color = np.array([1.0, s.uniform(0.7, 1), s.uniform(0.4, 1)])
    for primitive in s.primitives:
        if s.chance(0.15):
            primitive.material.emission = s.uniform(0.3, 1.5)


def compose_abstract(scene: Scene) -> View:
    """Turning solids in the air, over ground that may lie far below."""
    s = scene
    s.is_outdoor = True
    s.faces = [s.material(tile_m=s.uniform(1, 8)) for _ in range(6)]
    eye_m = s.log_uniform(0.7, 12)
    for _ in range(s.rng.integers(6, 30)):
        distance, angle = s.uniform(1.2, 8), s.uniform(-0.7, 0.7)
        center = (distance * np.sin(angle), eye_m + distance * s.uniform(-0.6, 0.6), distance * np.cos(angle))
        half_size = 0.3 * distance * s.rng.uniform(0.05, 0.9, 3)
        tilt = rotation_y(s.uniform(0, 6.3)) @ rotation_x(s.uniform(-2, 2)) @ rotation_z(s.uniform(-2, 2))
        velocity = s.rng.normal(size=3) * s.uniform(0, 0.5)
        s.add(s.choose(ANY_SHAPE), center, half_size, tilt, None, velocity, s.uniform(-1, 1))
    light_outdoors(s)
    pitch = np.deg2rad(s.rng.normal() * 15 - 3)
    return View(np.array([0, eye_m, 0]), 0.15 * s.rng.normal(), pitch, s.uniform(0, 1.5), drift_angle=1.5)
