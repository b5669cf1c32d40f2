import type { Architecture } from '../../manifest.ts'
import type { Mode } from '../../session.ts'
import type { GraphBuilder } from './graph-builder.ts'
import type { LayerWeights } from './layer-weights.ts'
import type { OpSet } from './op-set.ts'

/** What every part of the network is built from. */
export interface GraphContext {
  graph: GraphBuilder
  ops: OpSet
  weights: LayerWeights
  architecture: Architecture
  mode: Mode
  batch: number
  /** Patches down and across. */
  grid: readonly [number, number]
  /** L, slots of each ring; unused in mode single. */
  cacheSize: number
}
