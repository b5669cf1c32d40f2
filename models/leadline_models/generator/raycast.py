"""Exact hits of rays with boxes, ellipsoids, cylinders and the room around them.

Dense: every ray meets every primitive. Each primitive maps world space to a frame in which it is the unit
box, ball or cylinder. Ray parameters need no normalised directions and survive the affine map, so with
camera rays of unit z the parameter *is* the depth along the optical axis.
"""

import torch
from torch import Tensor

from .pack import FIRST_PLACE, PLACES, PackedClip
from .scene import BOX, CYLINDER, ELLIPSOID

MISS = 1e6

Vector = tuple[Tensor, Tensor, Tensor]  # x, y, z kept apart: the compiler fuses whole intersections this way


def world_to_unit(clip: PackedClip) -> Tensor:
    """(F, N, 3, 3): rows map a world vector to the primitive's unit frame."""
    return clip["rotation"].transpose(-1, -2) / clip["half_size"][..., None]


def to_unit_frame(matrix: Tensor, vector: Vector) -> Vector:
    """matrix (F, n, 3, 3), vector components broadcastable to (F, n, P) -> components (F, n, P)."""
    x, y, z = vector
    return tuple(
        matrix[:, :, row, 0, None] * x + matrix[:, :, row, 1, None] * y + matrix[:, :, row, 2, None] * z
        for row in range(3)
    )


def away_from_zero(value: Tensor) -> Tensor:
    return torch.where(value.abs() < 1e-9, torch.full_like(value, 1e-9), value)


def slab(origin: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
    """Entry and exit between the planes -1 and +1 of one axis."""
    inverse = 1 / away_from_zero(direction)
    first, second = (-1 - origin) * inverse, (1 - origin) * inverse
    return torch.minimum(first, second), torch.maximum(first, second)


def hit_box(o: Vector, d: Vector, near: float) -> Tensor:
    (x0, x1), (y0, y1), (z0, z1) = slab(o[0], d[0]), slab(o[1], d[1]), slab(o[2], d[2])
    enter = torch.maximum(torch.maximum(x0, y0), z0)
    leave = torch.minimum(torch.minimum(x1, y1), z1)
    return torch.where((enter < leave) & (enter > near), enter, MISS)


def hit_ellipsoid(o: Vector, d: Vector, near: float) -> Tensor:
    a = d[0] * d[0] + d[1] * d[1] + d[2] * d[2]
    b = o[0] * d[0] + o[1] * d[1] + o[2] * d[2]
    c = o[0] * o[0] + o[1] * o[1] + o[2] * o[2] - 1
    discriminant = b * b - a * c
    enter = (-b - discriminant.clamp(min=0).sqrt()) / a.clamp(min=1e-12)
    return torch.where((discriminant > 0) & (enter > near), enter, MISS)


def hit_cylinder(o: Vector, d: Vector, near: float) -> Tensor:
    """Axis along y, with caps."""
    a = (d[0] * d[0] + d[2] * d[2]).clamp(min=1e-12)
    b = o[0] * d[0] + o[2] * d[2]
    c = o[0] * o[0] + o[2] * o[2] - 1
    discriminant = b * b - a * c
    root = discriminant.clamp(min=0).sqrt()
    y0, y1 = slab(o[1], d[1])
    enter, leave = torch.maximum((-b - root) / a, y0), torch.minimum((root - b) / a, y1)
    return torch.where((discriminant > 0) & (enter < leave) & (enter > near), enter, MISS)


HIT = {BOX: hit_box, ELLIPSOID: hit_ellipsoid, CYLINDER: hit_cylinder}


def hits_by_shape(clip: PackedClip, unit: Tensor, origin: Vector, direction: Vector, near: float) -> dict[int, Tensor]:
    """Ray parameter per primitive, shape by shape: (F, n, P). Origin components (F, 1 or P), direction (F, P)."""
    result = {}
    for shape, hit in HIT.items():
        places = slice(FIRST_PLACE[shape], FIRST_PLACE[shape] + PLACES[shape])
        center = clip["center"][:, places]
        offset = tuple(origin[axis][:, None] - center[:, :, axis, None] for axis in range(3))
        o = to_unit_frame(unit[:, places], offset)
        d = to_unit_frame(unit[:, places], tuple(component[:, None] for component in direction))
        result[shape] = hit(o, d, near)
    return result


def closest_primitive(clip: PackedClip, unit: Tensor, origin: Vector, direction: Vector) -> tuple[Tensor, Tensor]:
    """Depth and index of the nearest primitive, each (F, P); depth is MISS where there is none."""
    depth, index = None, None
    for shape, hits in hits_by_shape(clip, unit, origin, direction, near=0.05).items():
        shape_depth, shape_index = hits.min(1)
        shape_index = shape_index + FIRST_PLACE[shape]
        if depth is None:
            depth, index = shape_depth, shape_index
        else:
            index = torch.where(shape_depth < depth, shape_index, index)
            depth = torch.minimum(depth, shape_depth)
    return depth, index


def room_face(clip: PackedClip, origin: Vector, direction: Vector) -> tuple[Tensor, Tensor]:
    """Depth and face (0..5: -x, +x, floor, ceiling, -z, +z) where the ray leaves the room, each (F, P)."""
    distances, positive = [], []
    for axis in range(3):
        d = away_from_zero(direction[axis])
        wall = torch.where(d > 0, clip["room_high"][:, axis, None], clip["room_low"][:, axis, None])
        distances.append((wall - origin[axis]) / d)
        positive.append(d > 0)
    x, y, z = distances
    axis = torch.where(x < torch.minimum(y, z), 0, torch.where(y < z, 1, 2))
    is_positive = torch.where(axis == 0, positive[0], torch.where(axis == 1, positive[1], positive[2]))
    return torch.minimum(torch.minimum(x, y), z), 2 * axis + is_positive.long()


def light_is_hidden(clip: PackedClip, unit: Tensor, origin: Vector, to_light: Vector) -> Tensor:
    """Hard shadow: does anything stand between a point and the light? bool (F, P)."""
    hits = hits_by_shape(clip, unit, origin, to_light, near=1e-6)
    first = torch.stack([hit.amin(1) for hit in hits.values()]).amin(0)
    return first < 0.97  # the lamp's own housing, close to the light, casts none
