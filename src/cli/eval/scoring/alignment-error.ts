import type { Camera } from '../datasets/camera.ts'
import { invertRigid, multiply } from '../datasets/camera.ts'

/** Depth of one frame in metres, 0 where there is none, with the camera that saw it. */
export interface SeenDepth {
  depthM: Float32Array
  width: number
  height: number
  camera: Camera
}

/**
 * TAE, the temporal alignment error of Video Depth Anything (arXiv 2501.12375, benchmark/eval/eval_tae.py): the depth of a
 * frame is carried into the next one by the true camera motion, and compared there as AbsRel; the same backwards; the mean
 * over both ways and all pairs, in per cent. Unlike there, where two points fall on one pixel the nearer one counts, and
 * not the one that comes last. The scene is taken to stand still: what moves in it adds error to a perfect depth too.
 */
export class AlignmentError {
  #before: SeenDepth | null = null
  #sum = 0
  #count = 0

  /** The next frame, or null for one without a pose: no pair reaches across it. */
  add(frame: SeenDepth | null): void {
    if (this.#before !== null && frame !== null) {
      this.#sum += carriedError(this.#before, frame) + carriedError(frame, this.#before)
      this.#count += 2
    }
    this.#before = frame
  }

  /** Per cent; null when no two consecutive frames have poses. */
  get percent(): number | null {
    return this.#count === 0 ? null : (100 * this.#sum) / this.#count
  }
}

/** Mean |depth - carried| / depth over the pixels that have both; 0 where none has, as in the original. */
function carriedError(from: SeenDepth, to: SeenDepth): number {
  const carried = carry(from, to)
  let sum = 0
  let count = 0
  for (let i = 0; i < carried.length; i++) {
    const depth = to.depthM[i] ?? 0
    const arrived = carried[i] ?? Infinity
    if (arrived === Infinity || depth === 0) continue
    sum += Math.abs(depth - arrived) / depth
    count++
  }
  return count === 0 ? 0 : sum / count
}

/** Depth of `from` as the camera of `to` would see it, at the nearest pixel; Infinity where nothing arrives. */
function carry(from: SeenDepth, to: SeenDepth): Float32Array {
  const m = multiply(invertRigid(to.camera.pose), from.camera.pose) as number[]
  const [m0 = 0, m1 = 0, m2 = 0, m3 = 0, m4 = 0, m5 = 0, m6 = 0, m7 = 0, m8 = 0, m9 = 0, m10 = 0, m11 = 0] = m
  const { fx, fy, cx, cy } = from.camera
  const carried = new Float32Array(to.width * to.height).fill(Infinity)
  for (let row = 0; row < from.height; row++) {
    for (let column = 0; column < from.width; column++) {
      const z = from.depthM[row * from.width + column] ?? 0
      if (z === 0) continue
      const x = ((column - cx) * z) / fx
      const y = ((row - cy) * z) / fy
      const depth = m8 * x + m9 * y + m10 * z + m11
      if (depth <= 0) continue
      const toX = Math.round((to.camera.fx * (m0 * x + m1 * y + m2 * z + m3)) / depth + to.camera.cx)
      const toY = Math.round((to.camera.fy * (m4 * x + m5 * y + m6 * z + m7)) / depth + to.camera.cy)
      if (toX < 0 || toX >= to.width || toY < 0 || toY >= to.height) continue
      const at = toY * to.width + toX
      if (depth < (carried[at] ?? 0)) carried[at] = depth
    }
  }
  return carried
}
