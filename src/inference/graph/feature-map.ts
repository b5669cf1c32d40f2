import { convolution } from './convolution.ts'
import type { GraphContext } from './graph-context.ts'
import type { Value } from './graph-builder.ts'

export type Grid = readonly [number, number]

/**
 * A map in one of two layouts: planes [B, C, h, w], as convolutions in floats take it; cells [B, h*w, C], row by row, as
 * matrix products do.
 */
export interface FeatureMap {
  layout: 'planes' | 'cells'
  value: Value
  grid: Grid
}

/** A map through the 1x1 convolution called `name`, as planes [B, C, h, w]. */
export function projected(context: GraphContext, name: string, { layout, value, grid }: FeatureMap): Value {
  if (layout === 'planes') return convolution(context, name, value)
  const { graph, ops, weights, batch } = context
  const { rows, columns, data } = weights.matrix(`${name}.weight`)
  const planes = ops.multiplyTransposed(graph, graph.constant(data, [1, rows, columns]), value)
  const bias = graph.constant(weights.vector(`${name}.bias`), [rows, 1])
  return graph.reshape(graph.add(planes, bias), [batch, rows, ...grid])
}

export function toCells(
  { graph, batch }: GraphContext,
  { layout, value, grid }: FeatureMap,
  channels: number
): Value {
  if (layout === 'cells') return value
  const byCell = graph.transpose(value, [0, 2, 3, 1])
  return graph.reshape(byCell, [batch, grid[0] * grid[1], channels])
}
