import type { Architecture } from '../../manifest.ts'
import { motionWeights } from './expected-weights.ts'
import { elementCount, type WeightsMap } from './weights-map.ts'

/** Frames that the position tables of Video Depth Anything cover. */
const MAX_WINDOW = 32
/** Wavelength that the sinusoids of "Attention Is All You Need" (arXiv 1706.03762) end at, over 2π. */
const POSITION_BASE = 10_000

/**
 * Motion modules that change nothing yet: their last layer is zero, so that every frame gets exactly the depth it has
 * alone. The layers before it are small random numbers from a fixed seed; with zeros there, training would stand still.
 */
export function startOfMotion(architecture: Architecture): WeightsMap {
  const next = evenNumbers()
  return new Map(
    [...motionWeights(architecture)].map(([name, expected]) => {
      const shape = expected.map((size) => size ?? MAX_WINDOW)
      return [name, { shape, data: startOf(name, shape, next) }]
    })
  )
}

function startOf(name: string, shape: readonly number[], next: () => number): Float32Array {
  const data = new Float32Array(elementCount(shape))
  if (name.endsWith('.pe')) return sinusoids(data, shape[2]!)
  if (name.includes('proj_out') || name.endsWith('.bias')) return data
  if (shape.length === 1) return data.fill(1)
  const bound = 1 / Math.sqrt(shape[1]!)
  return data.map(() => bound * next())
}

/** Row after row of positions: sine in even channels, cosine in odd ones. */
function sinusoids(data: Float32Array, channels: number): Float32Array {
  return data.map((_, index) => {
    const channel = index % channels
    const position = (index - channel) / channels
    const angle = position / POSITION_BASE ** ((channel - (channel % 2)) / channels)
    return channel % 2 === 0 ? Math.sin(angle) : Math.cos(angle)
  })
}

/** Even in -1..1, the same on every machine: the linear congruential generator of "Numerical Recipes". */
function evenNumbers(): () => number {
  let state = 1
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  }
}
