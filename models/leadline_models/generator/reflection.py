"""One sheet per scene that mirrors: a wet street, a polished floor, a pane of glass. What lies behind keeps depth."""

import torch
from torch import Tensor

from .pack import NUM_PRIMITIVES, PackedClip
from .raycast import MISS, Vector, away_from_zero, closest_primitive, room_face
from .textures import LEVELS

FLOOR = 2


def add_reflection(
    clip: PackedClip, unit: Tensor, origin: Vector, direction: Vector, depth: Tensor, color: Tensor, colors: Tensor
) -> Tensor:
    """Blends in what the sheet mirrors: (F, P, 3). `colors`: mean colour of each texture, (textures, 3)."""
    axes = clip["sheet_axes"]  # (F, 3, 3), rows are the sheet's two sides and its normal
    normal = axes[:, 2]
    offset = [clip["sheet_center"][:, axis, None] - origin[axis] for axis in range(3)]
    towards = sum(normal[:, axis, None] * direction[axis] for axis in range(3))
    t = sum(normal[:, axis, None] * offset[axis] for axis in range(3)) / away_from_zero(towards)
    place = [t * direction[axis] - offset[axis] for axis in range(3)]  # from the sheet's centre
    inside = torch.ones_like(t, dtype=torch.bool)
    for side in (0, 1):
        along = sum(axes[:, side, axis, None] * place[axis] for axis in range(3))
        inside = inside & (along.abs() < clip["sheet_half_size"][:, side, None])
    is_hit = inside & (t > 0.05) & (t < depth)

    length = sum(component * component for component in direction).sqrt()
    cosine = (towards.abs() / length).clamp(max=1)
    strength = clip["sheet_strength"][:, None] * (0.15 + 0.85 * (1 - cosine) ** 3)
    ripple = clip["sheet_ripple"][:, None] * torch.sin(23 * place[0] + 5 * torch.sin(17 * place[2] + 3 * place[1]))
    mirrored: Vector = tuple(
        direction[axis] - (2 * towards + ripple * length) * normal[:, axis, None] for axis in range(3)
    )
    start: Vector = tuple(origin[axis] + t * direction[axis] for axis in range(3))
    seen = mirrored_color(clip, unit, start, mirrored, colors)
    share = (strength * is_hit)[..., None]
    return color * (1 - share) + seen * share


def mirrored_color(clip: PackedClip, unit: Tensor, origin: Vector, direction: Vector, colors: Tensor) -> Tensor:
    """Flat shading is enough for what is seen in a mirror this dull: (F, P, 3)."""
    depth, index = closest_primitive(clip, unit, origin, direction)
    room_depth, face = room_face(clip, origin, direction)
    is_room = room_depth < depth
    material = torch.where(is_room, NUM_PRIMITIVES + face, index)
    surface = clip["surface"].gather(1, material[..., None].expand(-1, -1, 8))
    albedo = colors[clip["texture"].gather(1, material)] * surface[..., 1:4]
    lit = albedo * (clip["ambient"][:, None, None] * 0.6 + 0.25 + surface[..., 6:7])
    is_sky = is_room & (clip["is_outdoor"][:, None] > 0.5) & (face != FLOOR) | (depth.minimum(room_depth) >= MISS)
    return torch.where(is_sky[..., None], clip["sky_horizon"][:, None], lit)


def mean_colors(atlas: Tensor, texels: int) -> Tensor:
    """Of the coarsest mip level: (textures, 3)."""
    last = (128 >> (LEVELS - 1)) ** 2
    return atlas.reshape(-1, texels, 3)[:, -last:].mean(1)
