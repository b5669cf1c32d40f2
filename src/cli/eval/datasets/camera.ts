/** A pinhole camera, in the pixels of the depth map it belongs to. Axes: x right, y down, z forward. */
export interface Camera {
  /** Focal lengths and principal point, in pixels. */
  fx: number
  fy: number
  cx: number
  cy: number
  /** Camera to world, 4 x 4, row by row; metres. */
  pose: Matrix4
}

/** 4 x 4, row by row. */
export type Matrix4 = readonly number[]

export function multiply(a: Matrix4, b: Matrix4): Matrix4 {
  return Array.from({ length: 16 }, (_, i) => {
    const row = i - (i % 4)
    return [0, 1, 2, 3].reduce((sum, k) => sum + (a[row + k] ?? 0) * (b[4 * k + (i % 4)] ?? 0), 0)
  })
}

/** The inverse of a rotation and a translation: R becomes its transpose, t becomes -R't. */
export function invertRigid(m: Matrix4): Matrix4 {
  const rows = [0, 1, 2].map((row) => {
    const turned = [0, 1, 2].map((k) => m[4 * k + row] ?? 0)
    const moved = turned.reduce((sum, value, k) => sum - value * (m[4 * k + 3] ?? 0), 0)
    return [...turned, moved]
  })
  return [...rows.flat(), 0, 0, 0, 1]
}

/** From a translation in metres and a quaternion of any length, as in TUM's trajectories. */
export function rigidMatrix(
  [tx, ty, tz]: readonly [number, number, number],
  [qx, qy, qz, qw]: readonly [number, number, number, number]
): Matrix4 {
  const s = 2 / (qx * qx + qy * qy + qz * qz + qw * qw)
  const [xx, yy, zz] = [qx * qx * s, qy * qy * s, qz * qz * s]
  const [xy, xz, yz] = [qx * qy * s, qx * qz * s, qy * qz * s]
  const [xw, yw, zw] = [qx * qw * s, qy * qw * s, qz * qw * s]
  return [
    ...[1 - yy - zz, xy - zw, xz + yw, tx],
    ...[xy + zw, 1 - xx - zz, yz - xw, ty],
    ...[xz - yw, yz + xw, 1 - xx - yy, tz],
    ...[0, 0, 0, 1]
  ]
}
