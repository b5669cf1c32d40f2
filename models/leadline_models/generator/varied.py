"""Composes what pictures of version 1 lacked: people with limbs, cloth, tubes, glass, wet and white and high things."""

from dataclasses import replace

import numpy as np

from .camera_track import View
from .furniture import FURNITURE, person
from .indoor import compose_room
from .outdoor import build_street, compose_outdoor, light_outdoors, stand_thing, turn_to_night
from .people import limbed_person
from .scene import BOX, CYLINDER, Placement, Scene, Sheet, rotation_x, rotation_y
from .street import BACKDROPS, building, pole, railing, sign, tree, truss
from .tubes import arc_lamp, armchair, curtain, pipes, radiator, round_table, tube_chair

ROOM_THINGS = {
    limbed_person: 0.24, armchair: 0.14, tube_chair: 0.12, round_table: 0.12, arc_lamp: 0.08, curtain: 0.14,
    radiator: 0.06, pipes: 0.1,
}  # fmt: skip
HIGH_THINGS = {tree: 0.3, truss: 0.25, building: 0.25, pole: 0.12, railing: 0.08}


def compose_furnished_room(scene: Scene) -> View:
    s = scene
    view = compose_room(s)
    half_w, half_d = s.room_high[0], s.room_high[2]
    before_camera(s, view, ROOM_THINGS, int(s.rng.integers(1, 4)), nearest=1.0, farthest=max(1.5, min(half_w, half_d)))
    if s.chance(0.5):
        hang_curtain(s)
    lay_flat_pictures(s)
    if s.chance(0.22):
        add_glass(s, view)
    elif s.chance(0.22):
        s.sheet = floor_sheet(strength=s.uniform(0.2, 0.6), ripple=s.uniform(0, 0.01))
    if s.chance(0.12):
        view = replace(view, pitch=s.uniform(0.3, 1))
    return view


def compose_white_room(scene: Scene) -> View:
    """White things before white walls: shading, edges and corners are all there is."""
    s = scene
    view = compose_room(s)
    before_camera(s, view, {**ROOM_THINGS, **FURNITURE}, int(s.rng.integers(1, 4)), nearest=1.0, farthest=3.5)
    wall = s.white()
    s.faces = [wall if face != 2 or s.chance(0.5) else s.faces[2] for face in range(6)]
    for primitive in s.primitives:
        if s.chance(0.75):
            primitive.material = wall if s.chance(0.3) else s.white()
    s.ambient = s.uniform(0.35, 0.9)
    return view


def compose_busy_street(scene: Scene) -> View:
    s = scene
    view = compose_outdoor(s)
    walkers = {limbed_person: 1.0}
    before_camera(s, view, walkers, int(s.rng.integers(0, 3)), nearest=1.6, farthest=9)
    if s.chance(0.2):
        s.sheet = floor_sheet(strength=s.uniform(0.3, 0.8), ripple=s.uniform(0.002, 0.03))
    return view


def compose_night_street(scene: Scene) -> View:
    """Signs that glow, lit windows, wet asphalt."""
    s = scene
    s.is_outdoor = True
    s.faces = [s.material(tile_m=s.uniform(1, 8)) for _ in range(6)]
    build_street(s)
    for _ in range(s.rng.integers(2, 6)):
        stand_thing(s, s.choose({person: 0.5, sign: 0.3, pole: 0.2}))
    light_outdoors(s)
    turn_to_night(s)
    s.ambient = s.uniform(0.25, 0.55)
    for _ in range(s.rng.integers(4, 10)):
        center = (s.rng.choice([-1, 1]) * s.uniform(2, 6), s.uniform(1.8, 6), s.log_uniform(3, 30))
        size = (s.uniform(0.05, 0.7), s.uniform(0.15, 1.2), s.uniform(0.05, 0.7))
        s.add(BOX, center, size, None, s.material(tile_m=s.uniform(0.5, 2), emission=s.uniform(0.8, 2.5)))
    eye_m = s.uniform(1.2, 2.4)
    view = View(
        np.array([0, eye_m, 0]), 0.15 * s.rng.normal(), 0.1 * s.rng.normal(), s.uniform(0, 1.5), drift_angle=0.5
    )
    before_camera(s, view, {limbed_person: 1.0}, int(s.rng.integers(1, 3)), nearest=1.6, farthest=8)
    if s.chance(0.6):
        s.sheet = floor_sheet(strength=s.uniform(0.4, 0.9), ripple=s.uniform(0.002, 0.04))
    return view


def compose_looking_up(scene: Scene) -> View:
    """Crowns, roofs, trusses and wires before the sky, often without any ground."""
    s = scene
    s.is_outdoor = True
    s.faces = [s.material(tile_m=s.uniform(1, 8)) for _ in range(6)]
    eye_m = s.uniform(0.8, 3)
    for _ in range(s.rng.integers(3, 8)):
        build = s.choose(HIGH_THINGS)
        distance = s.log_uniform(8, 40) if build in BACKDROPS else s.log_uniform(2.5, 18)
        angle = s.uniform(-0.7, 0.7)
        build(Placement(s, distance * np.sin(angle), distance * np.cos(angle), s.uniform(0, 6.3)))
    for _ in range(s.rng.integers(0, 4)):  # wires and beams overhead
        height, turn = s.uniform(3, 8), rotation_y(s.uniform(-0.8, 0.8)) @ rotation_x(np.pi / 2)
        s.add(CYLINDER, (s.uniform(-3, 3), height, s.uniform(3, 15)), (s.uniform(0.01, 0.1), 15, 0.05), turn)
    light_outdoors(s)
    return View(np.array([0, eye_m, 0]), 0.2 * s.rng.normal(), s.uniform(0.3, 0.95), s.uniform(0, 3), drift_angle=0.6)


def before_camera(s: Scene, view: View, things: dict, count: int, nearest: float, farthest: float) -> None:
    """Stands things where they are seen, mostly near by, at an arm's length from each other or not."""
    for _ in range(count):
        build = s.choose(things)
        distance, angle = s.log_uniform(nearest, farthest), view.yaw + s.uniform(-0.45, 0.45)
        x, z = view.position[0] + distance * np.sin(angle), view.position[2] + distance * np.cos(angle)
        inside = (s.room_low[[0, 2]] + 0.2 < (x, z)) & ((x, z) < s.room_high[[0, 2]] - 0.2)
        if not inside.all():
            continue
        velocity, yaw = np.zeros(3), s.uniform(0, 6.3)
        if build is limbed_person and s.chance(0.6):
            velocity = np.array([np.sin(yaw), 0, np.cos(yaw)]) * s.uniform(0.4, 1.5)
        build(Placement(s, x, z, yaw, velocity=velocity))


def hang_curtain(s: Scene) -> None:
    half_w, half_d, side = s.room_high[0], s.room_high[2], s.rng.choice([-1, 1])
    if s.chance(0.5):
        curtain(Placement(s, side * (half_w - 0.12), s.uniform(-0.7, 0.7) * half_d, np.pi / 2))
    else:
        curtain(Placement(s, s.uniform(-0.7, 0.7) * half_w, side * (half_d - 0.12), 0.0))


def lay_flat_pictures(s: Scene) -> None:
    """Strong patterns without relief, on floor and walls: what is printed is not depth."""
    half_w, half_d, height = s.room_high
    for _ in range(s.rng.integers(0, 5)):
        material = s.material(tile_m=s.uniform(0.2, 1.2))
        a, b, along = s.uniform(0.15, 1.2), s.uniform(0.15, 1.2), s.uniform(-0.8, 0.8)
        side = s.rng.choice([-1, 1])
        if s.chance(0.4):
            s.add(
                BOX,
                (along * half_w, 0.002, s.uniform(-0.8, 0.8) * half_d),
                (a, 0.004, b),
                rotation_y(s.uniform(0, 3)),
                material,
            )
        elif s.chance(0.5):
            s.add(BOX, (side * half_w, height / 2, along * half_d), (0.004, min(a, height / 2), b), None, material)
        else:
            s.add(BOX, (along * half_w, height / 2, side * half_d), (a, min(b, height / 2), 0.004), None, material)


def floor_sheet(strength: float, ripple: float) -> Sheet:
    """Just above the ground, over all of it."""
    axes = np.array([[1.0, 0, 0], [0, 0, 1.0], [0, 1.0, 0]])
    return Sheet(np.array([0, 0.025, 0]), axes, np.array([200.0, 200.0]), strength, ripple)


def add_glass(s: Scene, view: View) -> None:
    """A pane across the view, at an angle, with a frame of four bars."""
    distance, turn = s.uniform(0.9, 2), view.yaw + s.uniform(-0.7, 0.7)
    right = np.array([np.cos(turn), 0, -np.sin(turn)])
    up, normal = np.array([0, 1.0, 0]), np.array([np.sin(turn), 0, np.cos(turn)])
    forward = np.array([np.sin(view.yaw), 0, np.cos(view.yaw)])
    center = view.position + distance * forward + right * s.uniform(-0.5, 0.5)
    half = np.array([s.uniform(0.4, 1.2), s.uniform(0.5, 1)])
    center[1] = max(s.uniform(0.8, 1.4), half[1])
    s.sheet = Sheet(center, np.stack([right, up, normal]), half, strength=s.uniform(0.35, 0.9))
    frame, rotation = s.material(tile_m=1), np.stack([right, up, normal], 1)
    for sign_of_side in (-1, 1):
        s.add(BOX, center + sign_of_side * half[0] * right, (0.025, half[1], 0.025), rotation, frame)
        s.add(BOX, center + sign_of_side * half[1] * up, (half[0], 0.025, 0.025), rotation, frame)
