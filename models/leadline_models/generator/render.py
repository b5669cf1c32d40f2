"""From a packed clip to linear colour and exact inverse depth: rays, surfaces, light, fog, sky."""

import torch
from torch import Tensor

from .pack import FIRST_PLACE, NUM_PRIMITIVES, PackedClip
from .raycast import Vector, closest_primitive, light_is_hidden, room_face, world_to_unit
from .reflection import FLOOR, add_reflection, mean_colors
from .scene import CYLINDER, ELLIPSOID
from .textures import LEVEL_OFFSETS, LEVELS, SIDE, TEXELS


def render(clip: PackedClip, atlas: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """-> linear RGB (F, H, W, 3), inverse depth along the optical axis in 1/m (F, H, W), 0 in the sky."""
    num_frames = clip["camera"].shape[0]
    direction = camera_rays(clip, height, width)
    origin: Vector = tuple(clip["camera"][:, axis, None] for axis in range(3))
    unit = world_to_unit(clip)

    depth, index = closest_primitive(clip, unit, origin, direction)
    room_depth, face = room_face(clip, origin, direction)
    is_room = room_depth < depth
    is_sky = is_room & (clip["is_outdoor"][:, None] > 0.5) & (face != FLOOR)
    depth = torch.minimum(depth, room_depth)
    point: Vector = tuple(o + depth * d for o, d in zip(origin, direction))

    normal, surface_uv = surface_at(clip, unit, point, index, is_room, face)  # (F, P, 3), (F, P, 2)
    material = torch.where(is_room, NUM_PRIMITIVES + face, index)
    texture = clip["texture"].gather(1, material)
    surface = clip["surface"].gather(1, material[..., None].expand(-1, -1, 8))

    ray = torch.stack(direction, -1)
    ray_length = ray.norm(dim=-1)
    facing = ((normal * ray).sum(-1).abs() / ray_length).clamp(min=0.08)
    sky_uv = torch.stack([ray[..., 0], ray[..., 2]], -1) / (ray[..., 1:2].abs() + 0.15)
    uv = torch.where(is_sky[..., None], sky_uv, surface_uv)
    tile_m = torch.where(is_sky, 3.0, surface[..., 0])
    texels_per_pixel = depth * 2 * clip["half_width_tan"][:, None] / width / facing.sqrt() / tile_m * SIDE
    level = torch.where(is_sky, 1.0, torch.log2(texels_per_pixel.clamp(min=1)).round().clamp(max=LEVELS - 1)).long()
    texel = sample_texture(atlas, texture, uv / tile_m[..., None] + surface[..., 4:6], level)

    color = shade(clip, unit, point, normal, ray / ray_length[..., None], texel, surface, facing, is_room)
    color = add_fog_and_sky(clip, color, texel, ray / ray_length[..., None], depth * ray_length, is_sky)
    if "sheet_center" in clip:
        color = add_reflection(clip, unit, origin, direction, depth, color, mean_colors(atlas, TEXELS))
    inverse_depth = torch.where(is_sky, 0.0, 1 / depth)
    return color.reshape(num_frames, height, width, 3), inverse_depth.reshape(num_frames, height, width)


def camera_rays(clip: PackedClip, height: int, width: int) -> Vector:
    """World directions with unit z in camera coordinates; components (F, H*W)."""
    device = clip["camera"].device
    y, x = torch.meshgrid(
        (torch.arange(height, device=device) + 0.5 - height / 2) / (width / 2),
        (torch.arange(width, device=device) + 0.5 - width / 2) / (width / 2),
        indexing="ij",
    )
    tan = clip["half_width_tan"][:, None]
    x, y, axes = x.reshape(1, -1) * tan, y.reshape(1, -1) * tan, clip["camera_axes"]
    return tuple(axes[:, 0, k, None] * x + axes[:, 1, k, None] * y + axes[:, 2, k, None] for k in range(3))


def surface_at(clip, unit, point: Vector, index, is_room, face) -> tuple[Tensor, Tensor]:
    """Unit normal (F, P, 3) and surface coordinates in metres (F, P, 2) at the hit points."""
    frames = index.shape[0]
    matrix = unit.reshape(frames, NUM_PRIMITIVES, 9).gather(1, index[..., None].expand(-1, -1, 9))
    center = clip["center"].gather(1, index[..., None].expand(-1, -1, 3))
    half_size = clip["half_size"].gather(1, index[..., None].expand(-1, -1, 3))
    offset = [point[axis] - center[..., axis] for axis in range(3)]
    local = torch.stack([sum(matrix[..., 3 * i + j] * offset[j] for j in range(3)) for i in range(3)], -1)

    dominant = torch.nn.functional.one_hot(local.abs().argmax(-1), 3).to(local.dtype)
    box_normal = dominant * local.sign()
    on_cap = (local[..., 1:2].abs() > 0.9995).to(local.dtype)
    cap_axis = local.new_tensor([0.0, 1.0, 0.0])
    cylinder_normal = on_cap * cap_axis * local.sign() + (1 - on_cap) * (1 - cap_axis) * local
    is_cylinder = (index >= FIRST_PLACE[CYLINDER])[..., None]
    is_ellipsoid = (index >= FIRST_PLACE[ELLIPSOID])[..., None]  # ellipsoids come before cylinders
    local_normal = torch.where(is_cylinder, cylinder_normal, torch.where(is_ellipsoid, local, box_normal))
    # a normal maps by the transposed inverse: the rows of `matrix` are the local axes over the half sizes
    normal = torch.stack([sum(matrix[..., 3 * i + j] * local_normal[..., i] for i in range(3)) for j in range(3)], -1)

    inward = torch.where(face % 2 == 1, -1.0, 1.0)[..., None]
    room_normal = torch.nn.functional.one_hot(face // 2, 3).to(local.dtype) * inward
    normal = torch.where(is_room[..., None], room_normal, normal)
    normal = normal / normal.norm(dim=-1, keepdim=True).clamp(min=1e-9)

    place = torch.where(is_room[..., None], torch.stack(point, -1), local * half_size)
    axis = torch.where(is_room, face // 2, local_normal.abs().argmax(-1))
    u = torch.where(axis == 0, place[..., 2], place[..., 0])
    v = torch.where(axis == 1, place[..., 2], -place[..., 1])
    return normal, torch.stack([u, v], -1)


def sample_texture(atlas: Tensor, texture: Tensor, uv: Tensor, level: Tensor) -> Tensor:
    """Bilinear, repeating lookup in one mip level: uv in tiles (F, P, 2) -> RGB (F, P, 3)."""
    side = SIDE >> level
    base = torch.tensor(LEVEL_OFFSETS, device=atlas.device)[level] + texture * TEXELS
    x, y = (uv[..., 0] % 1) * side - 0.5, (uv[..., 1] % 1) * side - 0.5
    x0, y0 = x.floor(), y.floor()
    wx, wy = (x - x0)[..., None], (y - y0)[..., None]
    left, top = x0.long() % side, y0.long() % side
    right, bottom = (left + 1) % side, (top + 1) % side
    upper = atlas[base + top * side + left] * (1 - wx) + atlas[base + top * side + right] * wx
    lower = atlas[base + bottom * side + left] * (1 - wx) + atlas[base + bottom * side + right] * wx
    return upper * (1 - wy) + lower * wy


def shade(clip, unit, point: Vector, normal, view, texel, surface, facing, is_room) -> Tensor:
    """One light with a hard shadow, a soft fill that darkens into the corners of a room, gloss, glow: (F, P, 3)."""
    to_light = torch.stack([clip["light"][:, axis, None] - point[axis] for axis in range(3)], -1)
    distance = to_light.norm(dim=-1, keepdim=True).clamp(min=1e-3)
    light_direction = to_light / distance
    is_outdoor = clip["is_outdoor"][:, None] > 0.5
    is_lamp = ~is_outdoor | (distance[..., 0] < 500)
    falloff = torch.where(is_lamp, 1.6 / (1 + 0.12 * distance[..., 0].square().clamp(max=1e4)), 1.0)
    direct = (normal * light_direction).sum(-1).clamp(min=0) * falloff
    lifted: Vector = tuple(point[axis] + 0.01 * normal[..., axis] for axis in range(3))
    hidden = light_is_hidden(clip, unit, lifted, tuple(to_light.unbind(-1)))
    direct = direct * (1 - clip["shadow_strength"][:, None] * hidden)

    fill = 0.5 * (0.5 + 0.5 * normal[..., 1]) + 0.5 * facing
    to_walls = torch.stack(
        [
            torch.minimum(point[axis] - clip["room_low"][:, axis, None], clip["room_high"][:, axis, None] - point[axis])
            for axis in range(3)
        ],
        -1,
    )
    # the wall itself is at distance 0, so the second smallest distance is that to the nearest corner line
    x, y, z = to_walls.unbind(-1)
    corner_m = torch.maximum(torch.minimum(x, y), torch.minimum(torch.maximum(x, y), z)).clamp(min=0)
    corner = 1 - 0.45 * torch.exp(-corner_m / 0.25) * (is_room & ~is_outdoor)
    ambient = clip["ambient"][:, None]
    light_color = clip["light_color"][:, None]
    light = (ambient * fill * corner)[..., None] + ((1.25 - ambient) * direct)[..., None] * light_color

    half = light_direction - view
    half = half / half.norm(dim=-1, keepdim=True).clamp(min=1e-6)
    highlight = 0.7 * surface[..., 7] * (normal * half).sum(-1).clamp(min=0) ** 24 * (direct > 0.15)
    albedo = texel * surface[..., 1:4]
    return albedo * light + highlight[..., None] * light_color + albedo * surface[..., 6:7]


def add_fog_and_sky(clip, color, texel, view, distance, is_sky) -> Tensor:
    horizon, zenith = clip["sky_horizon"][:, None], clip["sky_zenith"][:, None]
    clear = torch.exp(-distance * clip["fog_per_m"][:, None])[..., None]
    color = color * clear + horizon * (1 - clear)
    height = view[..., 1:2].clamp(0, 1) ** 0.6
    clouds = texel.mean(-1, keepdim=True) - 0.5
    sky = (zenith * height + horizon * (1 - height)) * (1 + clip["cloud_contrast"][:, None, None] * clouds)
    return torch.where(is_sky[..., None], sky, color)
