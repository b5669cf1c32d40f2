import type { Line } from '../../maps/line-fit.ts'
import { LineFit } from '../../maps/line-fit.ts'
import { VDA_WINDOW } from '../latents/window.ts'
import { keyframes } from './window-schedule.ts'

/** Of the ten frames that a window takes over: the first two align it, the other eight blend into it. */
const numAligning = 2
const numBlended = keyframes.length - numAligning

const unchanged: Line = { scale: 1, shift: 0 }

/**
 * Joins the depth maps of a clip's windows, which come place by place, into those of its frames. Each window's depth is
 * known up to scale and shift only: they are fitted, by least squares, on its first two frames, whose depth an earlier
 * window has given; the eight frames that both windows end and begin with change linearly from one to the other. Metric
 * depth needs no fit. ("Video Depth Anything", arXiv 2501.12375.) Depth is never below 0.
 */
export class WindowStitcher {
  readonly #isMetric: boolean
  /** What the aligning frames of the next window should be. */
  #references: Float32Array[] = []
  /** The same frames in the present window. */
  #aligning: Float32Array[] = []
  /** The last eight maps, which the next window blends into. */
  #tail: Float32Array[] = []
  #alignment: Line | null = null
  #isFirst = true

  constructor({ isMetric }: { isMetric: boolean }) {
    this.#isMetric = isMetric
  }

  /** The depth of the frame at `place`, window after window in order; returns the next frame's final map, if it is known. */
  push(place: number, depth: Float32Array): Float32Array | null {
    if (place === 0) this.#aligning = []
    const map = this.#isFirst ? depth : this.#aligned(place, depth)
    if (place === VDA_WINDOW - 1) this.#isFirst = false
    return map && this.#placed(place, map)
  }

  /** The maps that wait for a next window, when there is none. */
  rest(): Float32Array[] {
    return this.#tail
  }

  #aligned(place: number, depth: Float32Array): Float32Array | null {
    if (place < numAligning) {
      this.#aligning.push(depth)
      this.#alignment = null
      return null
    }
    this.#alignment ??= this.#isMetric ? unchanged : alignment(this.#aligning, this.#references)
    const { scale, shift } = this.#alignment
    const map = depth.map((value) => Math.max(0, scale * value + shift))
    if (place >= keyframes.length) return map
    const before = this.#tail.shift()!
    const weight = (place - numAligning) / (numBlended - 1)
    return map.map((value, i) => before[i]! + weight * (value - before[i]!))
  }

  /** Keeps what the next window needs of a map, and the map itself if that one blends into it. */
  #placed(place: number, map: Float32Array): Float32Array | null {
    if (place === keyframes[0] || place === keyframes[1]) this.#references[place === 0 ? 0 : 1] = map
    if (place < VDA_WINDOW - numBlended) return map
    this.#tail.push(map)
    return null
  }
}

/** Least squares over all values of all maps; maps without contrast are left as they are. */
function alignment(maps: readonly Float32Array[], references: readonly Float32Array[]): Line {
  const fit = new LineFit()
  for (const [index, map] of maps.entries()) {
    const reference = references[index]!
    for (let i = 0; i < map.length; i++) fit.add(map[i]!, reference[i]!)
  }
  return fit.solve() ?? unchanged
}
