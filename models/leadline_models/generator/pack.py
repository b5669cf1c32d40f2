"""A scene and a camera track as tensors of fixed shape, so that one compiled ray caster serves every scene.

Each shape has a fixed number of places; unused ones are parked out of sight.
"""

import numpy as np
import torch

from .camera_track import CameraTrack
from .scene import BOX, CYLINDER, ELLIPSOID, Material, Scene, rotation_y

PLACES = {BOX: 34, ELLIPSOID: 14, CYLINDER: 26}
FIRST_VERSION_PLACES = {BOX: 34, ELLIPSOID: 12, CYLINDER: 10}
NUM_PRIMITIVES = sum(PLACES.values())
FIRST_PLACE = {BOX: 0, ELLIPSOID: PLACES[BOX], CYLINDER: PLACES[BOX] + PLACES[ELLIPSOID]}
NUM_MATERIALS = NUM_PRIMITIVES + 6  # the six faces of the room come last
PARKED_M = -1e5
CAMERA_CLEARANCE_M = 0.12

PackedClip = dict[str, torch.Tensor]  # every tensor starts with the frame axis F


def pack_clip(scene: Scene, track: CameraTrack) -> PackedClip:
    """Names and shapes: see the end of this function. Frames of several clips may be concatenated."""
    num_frames = len(track.time_s)
    centers = np.full((num_frames, NUM_PRIMITIVES, 3), float(PARKED_M))
    half_sizes = np.full((NUM_PRIMITIVES, 3), 1e-2)
    rotations = np.tile(np.eye(3), (num_frames, NUM_PRIMITIVES, 1, 1))
    materials: list[Material] = [scene.faces[0]] * NUM_PRIMITIVES + scene.faces
    used, places = {shape: 0 for shape in PLACES}, PLACES if scene.is_varied else FIRST_VERSION_PLACES
    for primitive in scene.primitives:
        shape = primitive.shape
        path = primitive.center + track.time_s[:, None] * primitive.velocity  # (T, 3)
        camera_local = np.abs((track.positions - path) @ primitive.rotation)
        swallows_camera = ((camera_local / (primitive.half_size + CAMERA_CLEARANCE_M)).max(1) < 1).any()
        if swallows_camera or used[shape] == places[shape]:
            continue
        place = FIRST_PLACE[shape] + used[shape]
        used[shape] += 1
        centers[:, place], half_sizes[place], materials[place] = path, primitive.half_size, primitive.material
        turns = [rotation_y(primitive.spin * t) @ primitive.rotation for t in track.time_s] if primitive.spin else None
        rotations[:, place] = primitive.rotation if turns is None else np.stack(turns)

    sky = scene.sky
    surface = [[m.tile_m, *m.tint, *m.offset, m.emission, m.gloss] for m in materials]

    def every_frame(values) -> torch.Tensor:
        tensor = torch.as_tensor(np.asarray(values, dtype=np.float32))
        return tensor.expand(num_frames, *tensor.shape)

    def per_frame(values) -> torch.Tensor:
        return torch.as_tensor(np.ascontiguousarray(values, dtype=np.float32))

    sheet = scene.sheet
    # only where something mirrors: the ray caster is compiled once with and once without
    mirror = {} if sheet is None else {
        "sheet_center": every_frame(sheet.center),  # (F, 3)
        "sheet_axes": every_frame(sheet.axes),  # (F, 3, 3), rows are the sides and the normal
        "sheet_half_size": every_frame(sheet.half_size),  # (F, 2)
        "sheet_strength": every_frame(sheet.strength),  # (F,)
        "sheet_ripple": every_frame(sheet.ripple),
    }  # fmt: skip
    return {
        **mirror,
        "center": per_frame(centers),  # (F, N, 3)
        "rotation": per_frame(rotations),  # (F, N, 3, 3), columns are local axes
        "half_size": every_frame(half_sizes),  # (F, N, 3)
        "camera": per_frame(track.positions),  # (F, 3)
        "camera_axes": per_frame(track.rotations),  # (F, 3, 3), rows are right, down, forward
        "half_width_tan": every_frame(track.half_width_tan),  # (F,)
        "room_low": every_frame(scene.room_low),  # (F, 3)
        "room_high": every_frame(scene.room_high),
        "is_outdoor": every_frame(float(scene.is_outdoor)),  # (F,)
        "light": every_frame(scene.light),  # (F, 3)
        "light_color": every_frame(scene.light_color),
        "ambient": every_frame(scene.ambient),  # (F,)
        "shadow_strength": every_frame(scene.shadow_strength),
        "fog_per_m": every_frame(scene.fog_per_m),
        "sky_zenith": every_frame(sky.zenith if sky else np.zeros(3)),  # (F, 3)
        "sky_horizon": every_frame(sky.horizon if sky else np.zeros(3)),
        "cloud_contrast": every_frame(sky.cloud_contrast if sky else 0.0),  # (F,)
        "texture": torch.tensor([m.texture for m in materials]).expand(num_frames, -1),  # (F, M) int64
        "surface": every_frame(surface),  # (F, M, 8): tile_m, tint RGB, offset uv, emission, gloss
    }


def concat_frames(clips: list[PackedClip]) -> PackedClip:
    return {name: torch.cat([clip[name] for clip in clips]) for name in clips[0]}
