import type { Architecture, Precision } from '../../manifest.ts'
import type { Mode } from '../../session.ts'
import type { GraphBuilder } from './graph-builder.ts'
import type { LayerWeights } from './layer-weights.ts'
import type { OpSet } from './op-set.ts'
import type { WeightBits } from '../cpu-features.ts'
import type { WindowShape } from '../latents/window.ts'

/**
 * How a frame's own latents get into its ring. inPlace: whoever runs the graph binds each output `latent_i` onto the
 * write slot of `cache_i`, row by row; every reader of the ring depends on that output, so it sees the slot written.
 * scattered: the graph writes into a copy of the ring, which it keeps to itself. copied: the graph gives that copy as
 * `ring_i`, the next step's `cache_i`, and no latents; for devices whose buffers cannot overlap.
 */
export type RingWriting = 'inPlace' | 'scattered' | 'copied'

/** What every part of the network is built from. */
export interface GraphContext {
  graph: GraphBuilder
  ops: OpSet
  weights: LayerWeights
  architecture: Architecture
  mode: Mode
  precision: Precision
  /** Of int8; other precisions ignore it. */
  weightBits: WeightBits
  batch: number
  /** Patches down and across; of a convolutional encoder the cells of its third map. */
  grid: readonly [number, number]
  ring: RingWriting
  /** Of each ring; unused in mode single. */
  window: WindowShape
}
