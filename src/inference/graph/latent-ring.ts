import type { Value } from './graph-builder.ts'
import type { GraphContext } from './graph-context.ts'
import { cacheName, ringName, type LatentShape } from '../latents/latents.ts'
import type { WindowInputs } from './window-inputs.ts'

interface RingSite extends LatentShape {
  /** Which of the eight. */
  index: number
  /** Which row of the batch: every one has a ring of its own, wherever that lies. */
  row: number
  /** The frame's own, [P, C]. */
  latent: Value
}

/** The ring `cache_<index>` [L, P, C] of one row, with the frame's own latent where it is written to. */
export function latentRing(context: GraphContext, window: WindowInputs, site: RingSite): Value {
  const { graph } = context
  const { index, row, latent, rows, channels } = site
  const dims = [context.window.slots, rows, channels]
  const cache = graph.input(cacheName(index, row), graph.floatType, dims)
  const isWritten = window.isWritten[row]
  if (isWritten === undefined) return cache
  const inputs = [isWritten, graph.reshape(latent, [1, rows, channels]), cache]
  if (context.ring === 'scattered') return graph.node('Where', inputs)
  const ring = ringName(index, row)
  graph.output(ring, dims)
  return graph.node('Where', inputs, { outputs: [ring] })
}
