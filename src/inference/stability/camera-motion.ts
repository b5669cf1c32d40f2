import type { FrameGrid } from './frame-grid.ts'
import { solveLinear } from './linear-system.ts'
import type { Size } from '../pixels/resolution.ts'

/**
 * Where the cells of a frame were in the frame before: a cell at (x, y) from the centre was at
 * (x + right + zoom * x + turn * y, y + down + zoom * y - turn * x). Lengths in cells.
 */
export interface CameraMotion {
  right: number
  down: number
  /** Above 0: the picture has shrunk, as when the camera draws back. */
  zoom: number
  /** In radians. */
  turn: number
  /** 0 to 1: how well the picture's texture determines `zoom`. */
  certainty: number
}

/** Whole cells in each direction in which the search looks before it refines. */
const reach = 4
/** The search looks at every second cell. */
const searchStride = 2
/** Luma by which a larger shift must match better, for each cell of it. */
const stillnessBonus = 0.02
const maxIterations = 3
/** Cells; a step this small ends the refinement. */
const smallStep = 0.01
/** Squared luma per unit of zoom at which texture determines it by half: noise of 1 luma then leaves 0.2 % of doubt. */
const zoomEvidence = 2.5e5
/** On the diagonal for zoom and turn, whose effects are some ten times those of a shift. */
const zoomDamping = 100

/** The motion of the whole picture between two frames of one size; what moves otherwise counts little. */
export function estimateMotion(before: FrameGrid, now: FrameGrid): CameraMotion {
  let motion: CameraMotion = { ...bestShift(before, now), zoom: 0, turn: 0, certainty: 0 }
  const slopes = slopesOf(now)
  for (let i = 0; i < maxIterations; i++) {
    const { step, evidence } = refinement(before, now, slopes, motion)
    motion = {
      right: motion.right + step.right,
      down: motion.down + step.down,
      zoom: motion.zoom + step.zoom,
      turn: motion.turn + step.turn,
      certainty: evidence / (evidence + zoomEvidence)
    }
    if (Math.max(Math.abs(step.right), Math.abs(step.down)) < smallStep) break
  }
  return motion
}

/** `values` of the cells of the frame before, brought to where they are now; NaN for what was out of sight. */
export function follow(values: Float32Array, { width, height }: Size, motion: CameraMotion): Float32Array {
  const { right, down, zoom, turn } = motion
  const followed = new Float32Array(width * height)
  const [centerX, centerY] = [(width - 1) / 2, (height - 1) / 2]
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const [fromCenterX, fromCenterY] = [x - centerX, y - centerY]
      const thenX = x + right + zoom * fromCenterX + turn * fromCenterY
      const thenY = y + down + zoom * fromCenterY - turn * fromCenterX
      followed[i] = bilinear(values, width, height, thenX, thenY)
    }
  }
  return followed
}

function bilinear(values: Float32Array, width: number, height: number, x: number, y: number): number {
  if (!(x >= 0 && x <= width - 1 && y >= 0 && y <= height - 1)) return NaN
  const left = Math.min(Math.floor(x), Math.max(0, width - 2))
  const top = Math.min(Math.floor(y), Math.max(0, height - 2))
  const [across, down] = [x - left, y - top]
  const at = top * width + left
  const [next, below] = [width > 1 ? 1 : 0, height > 1 ? width : 0]
  const upper = (values[at] ?? 0) * (1 - across) + (values[at + next] ?? 0) * across
  const lower = (values[at + below] ?? 0) * (1 - across) + (values[at + below + next] ?? 0) * across
  return upper * (1 - down) + lower * down
}

function bestShift(before: FrameGrid, now: FrameGrid): { right: number; down: number } {
  let best = { right: 0, down: 0 }
  let least = Infinity
  const [reachX, reachY] = [
    Math.min(reach, Math.floor(now.width / 4)),
    Math.min(reach, Math.floor(now.height / 4))
  ]
  for (let down = -reachY; down <= reachY; down++) {
    for (let right = -reachX; right <= reachX; right++) {
      const cost = mismatch(before, now, right, down) + stillnessBonus * (Math.abs(right) + Math.abs(down))
      if (cost >= least) continue
      least = cost
      best = { right, down }
    }
  }
  return best
}

/** Mean |difference of luma| under a shift. */
function mismatch(before: FrameGrid, now: FrameGrid, right: number, down: number): number {
  const { width, height } = now
  let sum = 0
  let count = 0
  for (let y = Math.max(0, -down); y < height - Math.max(0, down); y += searchStride) {
    const thenRow = (y + down) * width + right
    for (let x = Math.max(0, -right); x < width - Math.max(0, right); x += searchStride) {
      sum += Math.abs((now.luma[y * width + x] ?? 0) - (before.luma[thenRow + x] ?? 0))
      count++
    }
  }
  return count === 0 ? Infinity : sum / count
}

interface Slopes {
  across: Float32Array
  down: Float32Array
}

/** Luma per cell. */
function slopesOf({ luma, width, height }: FrameGrid): Slopes {
  const across = new Float32Array(luma.length)
  const down = new Float32Array(luma.length)
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const [left, right] = [x > 0 ? 1 : 0, x < width - 1 ? 1 : 0]
      const [above, below] = [y > 0 ? width : 0, y < height - 1 ? width : 0]
      across[i] = ((luma[i + right] ?? 0) - (luma[i - left] ?? 0)) / Math.max(1, left + right)
      down[i] = ((luma[i + below] ?? 0) - (luma[i - above] ?? 0)) / Math.max(1, (above + below) / width)
    }
  }
  return { across, down }
}

interface Refinement {
  step: Record<'down' | 'right' | 'zoom' | 'turn', number>
  /** Squared luma that a unit of zoom would change, summed over the picture. */
  evidence: number
}

/** One step of Lucas and Kanade's method, with weights against what does not move with the picture. */
function refinement(before: FrameGrid, now: FrameGrid, slopes: Slopes, motion: CameraMotion): Refinement {
  const { width, height } = now
  const { values: offs, typical } = residuals(follow(before.luma, now, motion), now.luma)
  const doubtful = 1.5 * typical + 0.5
  const [centerX, centerY] = [(width - 1) / 2, (height - 1) / 2]
  // Normal equations of d(own), r(ight), z(oom) and t(urn). The diagonal keeps at zero what a picture cannot tell.
  let [dd, dr, dz, dt, rr, rz, rt, zz, zt, tt] = [1, 0, 0, 0, 1, 0, 0, zoomDamping, 0, zoomDamping]
  let [d, r, z, t] = [0, 0, 0, 0]
  for (let y = 0, i = 0; y < height; y++) {
    const fromCenterY = y - centerY
    for (let x = 0; x < width; x++, i++) {
      const off = offs[i] ?? NaN
      if (Number.isNaN(off)) continue
      const size = Math.abs(off)
      const weight = size > doubtful ? doubtful / size : 1
      const fromCenterX = x - centerX
      const down = slopes.down[i] ?? 0
      const right = slopes.across[i] ?? 0
      const zoom = down * fromCenterY + right * fromCenterX
      const turn = right * fromCenterY - down * fromCenterX
      const [wDown, wRight, wZoom, wTurn] = [weight * down, weight * right, weight * zoom, weight * turn]
      dd += wDown * down
      dr += wDown * right
      dz += wDown * zoom
      dt += wDown * turn
      rr += wRight * right
      rz += wRight * zoom
      rt += wRight * turn
      zz += wZoom * zoom
      zt += wZoom * turn
      tt += wTurn * turn
      d += wDown * off
      r += wRight * off
      z += wZoom * off
      t += wTurn * off
    }
  }
  const matrix = [dd, dr, dz, dt, dr, rr, rz, rt, dz, rz, zz, zt, dt, rt, zt, tt]
  const [down = 0, right = 0, zoom = 0, turn = 0] = solveLinear(matrix, [d, r, z, t])
  return { step: { down, right, zoom, turn }, evidence: zz - zoomDamping }
}

/** now - then where both are known, without the change of brightness that they share; NaN elsewhere. */
export function residuals(then: Float32Array, now: Float32Array): { values: Float32Array; typical: number } {
  let sum = 0
  let count = 0
  for (let i = 0; i < now.length; i++) {
    const off = (now[i] ?? 0) - (then[i] ?? NaN)
    if (Number.isNaN(off)) continue
    sum += off
    count++
  }
  const brightening = count === 0 ? 0 : sum / count
  const values = new Float32Array(now.length)
  let spread = 0
  for (let i = 0; i < now.length; i++) {
    const off = (now[i] ?? 0) - (then[i] ?? NaN) - brightening
    values[i] = off
    if (!Number.isNaN(off)) spread += Math.abs(off)
  }
  return { values, typical: count === 0 ? 0 : spread / count }
}
