/** What the test clip shows: a room with things that move, and a camera that wanders through it. Metres, y is up. */

export type Vector = readonly [x: number, y: number, z: number]

/** The room: its inner faces. */
export const room = { halfWidth: 3.6, height: 3, near: -5, far: 5.5 } as const
export const lamp: Vector = [0.6, 2.7, 0.5]

interface Body {
  center: Vector
  /** Red, green and blue in [0, 1]. */
  color: Vector
  /** Radius of its shadow on the floor. */
  shadow: number
}
export interface Ball extends Body {
  kind: 'ball'
  radius: number
}
export interface Crate extends Body {
  kind: 'crate'
  halfSize: Vector
  /** Of its turn about the upright axis. */
  cos: number
  sin: number
}
export type Thing = Ball | Crate

export interface Camera {
  position: Vector
  right: Vector
  up: Vector
  forward: Vector
}

/** Everything that moves, `seconds` into the clip. */
export function thingsAt(seconds: number): Thing[] {
  const hop = Math.abs(Math.sin(seconds * 3.1))
  return [
    crate([-1.7 + 0.35 * seconds, 0.45, 1.6], [0.45, 0.45, 0.45], 0.5 + 0.25 * seconds, [0.82, 0.52, 0.25]),
    crate([2.2, 0.8, 3.2], [0.5, 0.8, 0.35], -0.4, [0.3, 0.5, 0.42]),
    crate([0.9 - 0.5 * seconds, 0.25, -0.6], [0.3, 0.25, 0.25], -0.9 * seconds, [0.75, 0.25, 0.3]),
    crate([-2.6, 0.6, 3.9], [0.4, 0.6, 0.4], 0.9, [0.45, 0.4, 0.62]),
    ball([1.2 - 0.25 * seconds, 0.4 + 0.7 * hop, 1.1], 0.4, [0.95, 0.75, 0.2]),
    ball(
      [-0.9 + 0.75 * Math.cos(1.4 * seconds), 0.32, 2.9 + 0.75 * Math.sin(1.4 * seconds)],
      0.32,
      [0.25, 0.55, 0.9]
    ),
    ball([-1.5, 1.75 + 0.15 * Math.sin(2 * seconds), 0.7], 0.22, [0.9, 0.9, 0.95])
  ]
}

function crate(center: Vector, halfSize: Vector, yaw: number, color: Vector): Crate {
  const shadow = 1.25 * Math.hypot(halfSize[0], halfSize[2])
  return { kind: 'crate', center, halfSize, cos: Math.cos(yaw), sin: Math.sin(yaw), color, shadow }
}

function ball(center: Vector, radius: number, color: Vector): Ball {
  return { kind: 'ball', center, radius, color, shadow: 1.5 * radius }
}

/** A slow walk into the room with a look to the left and to the right. */
export function cameraAt(seconds: number): Camera {
  const position: Vector = [
    0.9 * Math.sin(0.55 * seconds),
    1.45 + 0.03 * Math.sin(4.4 * seconds),
    -4.3 + 0.38 * seconds
  ]
  const yaw = 0.22 * Math.sin(0.8 * seconds + 0.4) - 0.08
  const pitch = -0.12 + 0.02 * Math.sin(1.3 * seconds)
  const forward: Vector = [Math.sin(yaw) * Math.cos(pitch), Math.sin(pitch), Math.cos(yaw) * Math.cos(pitch)]
  const right: Vector = [Math.cos(yaw), 0, -Math.sin(yaw)]
  return { position, forward, right, up: cross(forward, right) }
}

function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}
