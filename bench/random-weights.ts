import type { Architecture } from '../src/manifest.ts'
import { expectedWeights } from '../src/inference/weights/expected-weights.ts'
import { elementCount, type WeightsMap, type WeightTensor } from '../src/inference/weights/weights-map.ts'

/** Rows of the temporal position tables in the official layout. */
const MAX_WINDOW = 32

/**
 * Seeded weights that keep activations of a network in a sane range: speed and correctness are real with them, depth is
 * not.
 */
export function randomWeights(architecture: Architecture, seed: number): WeightsMap {
  const next = randomNumbers(seed)
  const weights = new Map<string, WeightTensor>()
  for (const [name, expected] of expectedWeights(architecture)) {
    const shape = expected.map((size) => size ?? MAX_WINDOW)
    const isNormScale = /norm\d?s?(\.\d)?\.weight$|gamma$/.test(name)
    const fanIn = shape.length > 1 ? elementCount(shape.slice(1)) : 100
    const spread = name.includes('pe') && shape.length === 3 ? 1 : 3 / Math.sqrt(fanIn)
    const data = Float32Array.from(
      { length: elementCount(shape) },
      () => (isNormScale ? 1 : 0) + spread * next()
    )
    weights.set(name, { shape, data })
  }
  // The closing ReLU would else cut off most of the map.
  const closing =
    architecture.conv === undefined ? 'head.scratch.output_conv2.2' : 'head.scratch.output_conv2'
  weights.get(`${closing}.bias`)!.data.fill(3)
  return weights
}

/** Even in -0.5..0.5; a linear congruential generator (Numerical Recipes' constants). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32 - 0.5
  }
}
