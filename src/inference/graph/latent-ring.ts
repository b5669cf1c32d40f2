import type { Value } from './graph-builder.ts'
import type { GraphContext } from './graph-context.ts'
import { cacheName, type LatentShape } from './latents.ts'
import type { WindowInputs } from './window-inputs.ts'

interface RingSite extends LatentShape {
  /** Which of the eight. */
  index: number
  /** Which row of the batch: every one has a ring of its own, wherever that lies. */
  row: number
  /** The frame's own, [P, C]. */
  latent: Value
}

/** The ring `cache_<index>` [L, P, C] of one row, with the frame's own latent in its write slot. */
export function latentRing(context: GraphContext, window: WindowInputs, site: RingSite): Value {
  const { graph } = context
  const { index, row, latent, rows, channels } = site
  const cache = graph.input(cacheName(index, row), 'float32', [context.window.slots, rows, channels])
  const slot = window.writeSlots[row]
  if (slot === undefined) return cache
  const slots = graph.node('Expand', [slot, graph.integers([rows])])
  const rowNumbers = graph.integers(Array.from({ length: rows }, (_, position) => position))
  const pairs = [graph.reshape(slots, [rows, 1]), graph.reshape(rowNumbers, [rows, 1])]
  const places = graph.node('Concat', pairs, { attributes: { axis: 1 } })
  return graph.node('ScatterND', [cache, places, latent])
}
