import type { Ball, Crate, Vector } from './test-scene.ts'

/** Where a ray meets a surface. */
export interface Hit {
  /** In lengths of the ray's direction. */
  t: number
  point: Vector
  normal: Vector
  /** Place on the surface in metres, for its grain. */
  u: number
  v: number
  /** Brightness of an edge or stripe, 1 elsewhere. */
  edge: number
}

export function hitBall({ center, radius }: Ball, from: Vector, direction: Vector): Hit | null {
  const ox = from[0] - center[0]
  const oy = from[1] - center[1]
  const oz = from[2] - center[2]
  const [dx, dy, dz] = direction
  const a = dx * dx + dy * dy + dz * dz
  const b = ox * dx + oy * dy + oz * dz
  const discriminant = b * b - a * (ox * ox + oy * oy + oz * oz - radius * radius)
  if (discriminant < 0) return null
  const t = (-b - Math.sqrt(discriminant)) / a
  if (t <= 0) return null
  const normal: Vector = [(ox + t * dx) / radius, (oy + t * dy) / radius, (oz + t * dz) / radius]
  const edge = Math.abs(normal[1]) < 0.16 ? 0.6 : 1
  return { t, point: reach(from, direction, t), normal, u: normal[0] + normal[2], v: normal[1], edge }
}

export function hitCrate({ center, halfSize, cos, sin }: Crate, from: Vector, direction: Vector): Hit | null {
  const ox = from[0] - center[0]
  const oz = from[2] - center[2]
  const origin: Vector = [cos * ox - sin * oz, from[1] - center[1], sin * ox + cos * oz]
  const [dx, dy, dz] = direction
  const ray: Vector = [cos * dx - sin * dz, dy, sin * dx + cos * dz]
  const face = enter(origin, ray, halfSize)
  if (face === null) return null
  const t = entryAt(origin, ray, halfSize, face)
  const local = reach(origin, ray, t)
  const sign = ray[face] > 0 ? -1 : 1
  const normal: Vector =
    face === 1 ? [0, sign, 0] : face === 0 ? [sign * cos, 0, -sign * sin] : [sign * sin, 0, sign * cos]
  const u = face === 0 ? local[2] : local[0]
  const v = face === 1 ? local[2] : local[1]
  const edge = isNearEdge(local, halfSize) ? 0.62 : 1
  return { t, point: reach(from, direction, t), normal, u, v, edge }
}

function reach(from: Vector, direction: Vector, t: number): Vector {
  return [from[0] + t * direction[0], from[1] + t * direction[1], from[2] + t * direction[2]]
}

/** Slab test: the axis of the face where the ray goes in, null when it passes by. Rays along a face give infinities. */
function enter(origin: Vector, ray: Vector, halfSize: Vector): 0 | 1 | 2 | null {
  const x = entryAt(origin, ray, halfSize, 0)
  const y = entryAt(origin, ray, halfSize, 1)
  const z = entryAt(origin, ray, halfSize, 2)
  const leave = Math.min(
    exitAt(origin, ray, halfSize, 0),
    exitAt(origin, ray, halfSize, 1),
    exitAt(origin, ray, halfSize, 2)
  )
  const t = Math.max(x, y, z)
  if (t <= 0 || t >= leave) return null
  return t === x ? 0 : t === y ? 1 : 2
}

function entryAt(origin: Vector, ray: Vector, halfSize: Vector, axis: 0 | 1 | 2): number {
  const side = ray[axis] > 0 ? -halfSize[axis] : halfSize[axis]
  return (side - origin[axis]) / ray[axis]
}

function exitAt(origin: Vector, ray: Vector, halfSize: Vector, axis: 0 | 1 | 2): number {
  const side = ray[axis] > 0 ? halfSize[axis] : -halfSize[axis]
  return (side - origin[axis]) / ray[axis]
}

/** Within 3 cm of two faces at once. */
function isNearEdge(local: Vector, halfSize: Vector): boolean {
  const x = halfSize[0] - Math.abs(local[0]) < 0.03
  const y = halfSize[1] - Math.abs(local[1]) < 0.03
  const z = halfSize[2] - Math.abs(local[2]) < 0.03
  return (x && y) || (y && z) || (z && x)
}
