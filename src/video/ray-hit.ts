import type { Ball, Crate, Vector } from './test-scene.ts'

/** Where a ray meets a surface. */
export interface Hit {
  /** In lengths of the ray's direction. */
  t: number
  place: Vector
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
  const place: Vector = [from[0] + t * dx, from[1] + t * dy, from[2] + t * dz]
  return {
    t,
    place,
    normal,
    u: normal[0] + normal[2],
    v: normal[1],
    edge: Math.abs(normal[1]) < 0.16 ? 0.6 : 1
  }
}

export function hitCrate({ center, halfSize, yaw }: Crate, from: Vector, direction: Vector): Hit | null {
  const cos = Math.cos(yaw)
  const sin = Math.sin(yaw)
  const turned = (x: number, y: number, z: number): Vector => [cos * x - sin * z, y, sin * x + cos * z]
  const origin = turned(from[0] - center[0], from[1] - center[1], from[2] - center[2])
  const ray = turned(direction[0], direction[1], direction[2])
  const entry = enter(origin, ray, halfSize)
  if (entry === null) return null
  const { t, axis } = entry
  const local: Vector = [origin[0] + t * ray[0], origin[1] + t * ray[1], origin[2] + t * ray[2]]
  const sign = (ray[axis] ?? 0) > 0 ? -1 : 1
  const normal: Vector =
    axis === 1 ? [0, sign, 0] : axis === 0 ? [sign * cos, 0, -sign * sin] : [sign * sin, 0, sign * cos]
  const [u, v] = axis === 0 ? [local[2], local[1]] : axis === 1 ? [local[0], local[2]] : [local[0], local[1]]
  return {
    t,
    place: [from[0] + t * direction[0], from[1] + t * direction[1], from[2] + t * direction[2]],
    normal,
    u,
    v,
    edge: isNearEdge(local, halfSize) ? 0.62 : 1
  }
}

/** Slab test: the ray is inside where it is inside all three pairs of planes. */
function enter(origin: Vector, ray: Vector, halfSize: Vector): { t: number; axis: 0 | 1 | 2 } | null {
  let t = -Infinity
  let leave = Infinity
  let entered: 0 | 1 | 2 = 0
  for (const axis of [0, 1, 2] as const) {
    const near = (-Math.sign(ray[axis]) * halfSize[axis] - origin[axis]) / ray[axis]
    const far = (Math.sign(ray[axis]) * halfSize[axis] - origin[axis]) / ray[axis]
    if (near > t) {
      t = near
      entered = axis
    }
    leave = Math.min(leave, far)
  }
  return t > 0 && t < leave ? { t, axis: entered } : null
}

/** Within 3 cm of two faces at once. */
function isNearEdge(local: Vector, halfSize: Vector): boolean {
  let close = 0
  for (const axis of [0, 1, 2] as const) if (halfSize[axis] - Math.abs(local[axis]) < 0.03) close++
  return close >= 2
}
