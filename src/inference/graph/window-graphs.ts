import { buildNetwork, depthOutput, type StepGraphOptions } from './step-graph.ts'
import { windowValues, windowStages } from '../latents/window-values.ts'
import { VDA_WINDOW } from '../latents/window.ts'

/** One stage of the network for one frame of a window. */
export interface StageGraph {
  model: Uint8Array
  /** Graph inputs that it reads, and values of earlier stages (see window-values.ts). */
  inputs: string[]
  /** The values that it leaves; the last stage gives the depth alone. */
  outputs: string[]
}

export type WindowGraphOptions = Pick<
  StepGraphOptions,
  'weights' | 'architecture' | 'height' | 'width' | 'opSet' | 'precision' | 'weightBits'
>

/**
 * The network of mode vda-window, a model per stage. Rings cache_0..7 [32, P, C] hold the latents of the whole window
 * when they are read; positions, mask and query_position say who stands where (see window.ts). Throws
 * MODEL_MODE_UNSUPPORTED as `buildStepGraph` does.
 */
export function buildWindowGraphs(options: WindowGraphOptions): StageGraph[] {
  const { architecture, height, width } = options
  const network = buildNetwork({ ...options, mode: 'vda-window', cacheSize: VDA_WINDOW, ring: 'inPlace' })
  const values = windowValues(architecture, height, width)
  const asInfo = ({ name, dims }: { name: string; dims: readonly number[] }) => ({
    name,
    dims,
    dataType: network.floatType
  })
  return Array.from({ length: windowStages }, (_, stage) => {
    const known = values.filter(({ born }) => born < stage)
    const given = values.filter(({ born }) => born === stage)
    const depth = { name: depthOutput, dims: [1, height, width], dataType: 'float32' as const }
    const outputs = stage === windowStages - 1 ? [depth] : given.map(asInfo)
    return {
      ...network.toPart(known.map(asInfo), outputs),
      outputs: outputs.map(({ name }) => name)
    }
  })
}
