import type { Value } from './graph-builder.ts'
import type { GraphContext } from './graph-context.ts'
import { cacheName, type LatentShape } from './latents.ts'
import type { WindowInputs } from './window-inputs.ts'

interface RingSite extends LatentShape {
  /** Which of the eight. */
  index: number
  /** The frame's own, [B*P, C]. */
  latent: Value
}

/** The ring `cache_<index>` [L, B*P, C] with the frame's own latent in its write slot. */
export function latentRing(context: GraphContext, window: WindowInputs, site: RingSite): Value {
  const { graph, batch, window: shape } = context
  const { index, latent, rows, channels } = site
  const allRows = batch * rows
  const cache = graph.input(cacheName(index), 'float32', [shape.slots, allRows, channels])
  if (window.writeSlot === null) return cache
  // One (slot, row) pair per row of the latent; every sample of the batch has a slot of its own.
  const slots = graph.node('Expand', [
    graph.reshape(window.writeSlot, [batch, 1]),
    graph.integers([batch, rows])
  ])
  const rowNumbers = graph.integers(Array.from({ length: allRows }, (_, row) => row))
  const pairs = [graph.reshape(slots, [allRows, 1]), graph.reshape(rowNumbers, [allRows, 1])]
  const places = graph.node('Concat', pairs, { attributes: { axis: 1 } })
  return graph.node('ScatterND', [cache, places, latent])
}
