import { expect, test } from 'vitest'
import { rigidMatrix } from '../../../src/cli/eval/datasets/camera.ts'
import type { SeenDepth } from '../../../src/cli/eval/scoring/alignment-error.ts'
import { AlignmentError } from '../../../src/cli/eval/scoring/alignment-error.ts'

const size = { width: 48, height: 32 }
const lens = { fx: 40, fy: 40, cx: 24, cy: 16 }

/**
 * A plane z = distance + slope * x (world, metres), seen by a camera at (x, 0, z) that looks along +z, turned by `yaw`
 * radians about y. `factor` scales the depth.
 */
function seePlane({ x = 0, z = 0, yaw = 0, slope = 0, factor = 1 }): SeenDepth {
  const pose = rigidMatrix([x, 0, z], [0, Math.sin(yaw / 2), 0, Math.cos(yaw / 2)])
  const depthM = Float32Array.from({ length: size.width * size.height }, (_, i) => {
    const rayX = ((i % size.width) - lens.cx) / lens.fx
    const worldX = Math.cos(yaw) * rayX + Math.sin(yaw)
    const worldZ = Math.cos(yaw) - Math.sin(yaw) * rayX
    return (factor * (4 + slope * x - z)) / (worldZ - slope * worldX)
  })
  return { ...size, depthM, camera: { ...lens, pose } }
}

function tae(frames: readonly (SeenDepth | null)[]): number | null {
  const error = new AlignmentError()
  for (const frame of frames) error.add(frame)
  return error.percent
}

test('true depth of a plane stays where it is, however the camera moves', () => {
  const moves = [{}, { x: 0.1 }, { x: 0.2, z: 0.3 }, { x: 0.2, z: 0.4, yaw: 0.05 }]
  expect(tae(moves.map(seePlane))).toBeLessThan(0.3)
  // On a slope the nearest pixel is up to half a pixel off.
  expect(tae(moves.map((move) => seePlane({ ...move, slope: 0.3 })))).toBeLessThan(0.8)
})

test('depth that pulses by a known factor gives the known error', () => {
  const wobble = 0.1
  const frames = [0, 1, 2, 3, 4].map((i) => seePlane({ x: i * 0.05, factor: i % 2 === 0 ? 1 : 1 + wobble }))
  // From 1 to 1.1 the error is 0.1 / 1.1, from 1.1 to 1 it is 0.1.
  expect(tae(frames)).toBeCloseTo(50 * (wobble / (1 + wobble) + wobble), 3)
})

test('a wrong pose shows', () => {
  const still = seePlane({})
  const closer = { ...seePlane({ z: 1 }), camera: still.camera }
  // 4 m against 3 m: errors of 1/3 and 1/4.
  expect(tae([still, closer])).toBeCloseTo(50 * (1 / 3 + 1 / 4), 3)
})

test('where two points fall on one pixel, the nearer one counts', () => {
  const { camera } = seePlane({})
  const near = new Float32Array(size.width * size.height)
  // Two columns apart by one pixel; the camera moves so that the near point covers the far one.
  near[10] = 2
  near[11] = 4
  const before: SeenDepth = { ...size, depthM: near, camera }
  const moved = { ...camera, pose: rigidMatrix([-0.1, 0, 0], [0, 0, 0, 1]) }
  const after = new Float32Array(size.width * size.height)
  after[12] = 2
  expect(tae([before, { ...size, depthM: after, camera: moved }])).toBeCloseTo(0, 6)
})

test('no pair reaches across a frame without a pose', () => {
  const frame = seePlane({})
  const wrong = { ...seePlane({ factor: 2 }), camera: frame.camera }
  expect(tae([frame, null, wrong])).toBeNull()
  expect(tae([frame, frame, null, wrong, wrong])).toBeCloseTo(0, 6)
  expect(tae([frame])).toBeNull()
})
