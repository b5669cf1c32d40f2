"""Composes rooms: four walls, furniture, things on the walls, one lamp; and close-ups of a table top."""

import numpy as np

from .camera_track import View
from .furniture import ANY_SHAPE, FURNITURE, person
from .scene import BOX, Placement, Scene, rotation_x, rotation_y, rotation_z


def compose_room(scene: Scene) -> View:
    s = scene
    half_w, half_d, height = room_size(s)
    s.room_low, s.room_high = np.array([-half_w, 0, -half_d]), np.array([half_w, height, half_d])
    paint_faces(s)
    camera = np.array([s.uniform(-0.75, 0.75) * half_w, s.uniform(0.5, 2.1), s.uniform(-0.85, 0.85) * half_d])
    camera[1] = np.clip(camera[1], 0.3, height - 0.3)
    # towards a random point of the room, which is mostly a long line of sight
    aim = np.array([s.uniform(-half_w, half_w), s.uniform(-half_d, half_d)])
    yaw = np.arctan2(aim[0] - camera[0], aim[1] - camera[2]) + s.uniform(-0.3, 0.3)

    for _ in range(s.rng.integers(4, 13)):
        stand_furniture(s, camera, yaw, half_w, half_d)
    if s.chance(0.25):
        add_partition(s, camera, half_w, half_d, height)
    for _ in range(s.rng.integers(1, 7)):
        hang_on_wall(s, half_w, half_d, height)
    if s.chance(0.35):
        rug = (s.uniform(0.5, 1.5), 0.006, s.uniform(0.5, 1.5))
        s.add(
            BOX,
            (s.uniform(-0.5, 0.5) * half_w, 0.004, s.uniform(-0.5, 0.5) * half_d),
            rug,
            rotation_y(s.uniform(-0.3, 0.3)),
        )
    if s.chance(0.3):
        center = (s.uniform(-0.6, 0.6) * half_w, height - s.uniform(0.1, 0.6), s.uniform(-0.6, 0.6) * half_d)
        s.add(
            s.choose(ANY_SHAPE), center, (s.uniform(0.08, 0.3), 0.1, s.uniform(0.08, 0.3)), None, s.material(emission=1)
        )

    s.light = np.array([s.uniform(-0.8, 0.8) * half_w, height * s.uniform(0.7, 0.97), s.uniform(-0.8, 0.8) * half_d])
    s.light_color = np.clip(1 + 0.12 * s.rng.normal() * np.array([1, 0.2, -1]), 0.6, 1.4)
    s.ambient = s.uniform(0.2, 0.85)
    return View(camera, yaw, pitch=np.deg2rad(s.rng.normal() * 13 - 8), speed=s.uniform(0, 0.9), drift_angle=1.6)


def room_size(s: Scene) -> tuple[float, float, float]:
    """Half width, half depth, height."""
    kind = s.choose({"room": 0.75, "corridor": 0.12, "hall": 0.13})
    if kind == "corridor":
        return s.uniform(0.8, 1.4), s.uniform(4, 12), s.uniform(2.2, 3)
    if kind == "hall":
        return s.uniform(4, 12), s.uniform(5, 15), s.uniform(3, 8)
    return s.uniform(1.4, 4.5), s.uniform(1.6, 6), s.uniform(2.2, 4)


def paint_faces(s: Scene) -> None:
    bare = s.chance(0.25)  # one plain light paint all over: white on white is the hardest room
    wall = s.material(tile_m=s.uniform(0.6, 4), tint=s.gray(0.9, 1.15) if bare else None)
    s.faces = [s.material(tile_m=s.uniform(0.6, 4)) for _ in range(6)]
    for face in (0, 1, 4, 5):
        if bare or s.chance(0.75):
            s.faces[face] = wall
    if s.chance(0.7):
        s.faces[3] = s.material(tile_m=s.uniform(1, 4), tint=s.gray(0.7, 1.15))


def stand_furniture(s: Scene, camera: np.ndarray, yaw: float, half_w: float, half_d: float) -> None:
    build = s.choose(FURNITURE)
    for _ in range(6):
        if s.chance(0.55):  # with its back to a wall
            along_x, along_z = s.uniform(-0.9, 0.9) * half_w, s.uniform(-0.9, 0.9) * half_d
            x, z, facing = [
                (-half_w + 0.4, along_z, np.pi / 2),
                (half_w - 0.4, along_z, -np.pi / 2),
                (along_x, -half_d + 0.4, 0.0),
                (along_x, half_d - 0.4, np.pi),
            ][s.rng.integers(4)]
        else:
            distance, angle = s.uniform(0.9, 4.5), yaw + s.uniform(-0.6, 0.6)
            x, z = camera[0] + distance * np.sin(angle), camera[2] + distance * np.cos(angle)
            facing = s.uniform(0, 6.3)
        if abs(x) < half_w - 0.1 and abs(z) < half_d - 0.1 and np.hypot(x - camera[0], z - camera[2]) > 0.8:
            break
    else:
        return
    velocity = np.zeros(3)
    if s.chance(0.7 if build is person else 0.08):
        heading = s.uniform(0, 6.3)
        velocity = np.array([np.sin(heading), 0, np.cos(heading)]) * s.uniform(0.1, 1)
    build(Placement(s, x, z, facing + 0.1 * s.rng.normal(), velocity=velocity))


def add_partition(s: Scene, camera: np.ndarray, half_w: float, half_d: float, height: float) -> None:
    """A pillar or a stub of wall, floor to ceiling: it hides part of the room behind an edge."""
    x, z = s.uniform(-1, 1) * half_w, s.uniform(-0.8, 0.8) * half_d
    if np.hypot(x - camera[0], z - camera[2]) > 1.2:
        s.add(BOX, (x, height / 2, z), (s.uniform(0.1, 0.8), height / 2, s.uniform(0.08, 0.3)), None, s.faces[0])


def hang_on_wall(s: Scene, half_w: float, half_d: float, height: float) -> None:
    """Pictures, lit windows, doors, switches."""
    emission = s.uniform(0.8, 2.5) if s.chance(0.3) else 0.0
    w, h, thick = s.uniform(0.12, 0.9), s.uniform(0.12, 0.7), s.uniform(0.005, 0.06)
    y = min(s.uniform(0.9, 1.9), height - h)
    if s.chance(0.2):  # a door
        w, h, y = 0.45, 1.0, 1.0
    material = s.material(tile_m=s.uniform(0.3, 1.5), emission=emission, tint=np.ones(3) if emission else None)
    along, side = s.uniform(-0.85, 0.85), s.rng.choice([-1, 1])
    if s.chance(0.5):
        s.add(BOX, (side * half_w, y, along * half_d), (thick, h, w), None, material)
    else:
        s.add(BOX, (along * half_w, y, side * half_d), (w, h, thick), None, material)


def compose_close_up(scene: Scene) -> View:
    """Looking down on things on a surface, often without a horizon. Distances are relative, so 1 unit is 1 m."""
    s = scene
    half = s.uniform(2, 8)
    s.room_low, s.room_high = np.array([-half, 0, -half]), np.array([half, 2 * half, half])
    paint_faces(s)
    camera = np.array([0, s.uniform(0.7, 1.8), -s.uniform(0, 0.8)])
    for _ in range(s.rng.integers(3, 16)):
        h = s.log_uniform(0.03, 0.5)
        tilt = rotation_y(s.uniform(0, 6.3))
        if s.chance(0.4):
            tilt = tilt @ rotation_x(s.uniform(-1.5, 1.5)) @ rotation_z(s.uniform(-1.5, 1.5))
        center = (s.uniform(-1.1, 1.1), h, s.uniform(-0.5, 2.2))
        s.add(s.choose(ANY_SHAPE), center, (s.log_uniform(0.03, 0.5), h, s.log_uniform(0.03, 0.5)), tilt)
    s.light = np.array([s.uniform(-1, 1) * half, half * s.uniform(0.8, 1.9), s.uniform(-1, 1) * half])
    s.ambient = s.uniform(0.3, 0.8)
    return View(camera, s.uniform(-0.4, 0.4), pitch=-s.uniform(0.3, 1.35), speed=s.uniform(0, 0.4), drift_angle=3)
