import { convolution, relu } from './convolution.ts'
import type { GraphContext } from './graph-context.ts'
import type { Value } from './graph-builder.ts'

/**
 * The last convolution, whatever the precision in float32: float16 would leave steps in smooth depth. Inverse depth is cut
 * off at 0; metric networks may instead spread a sigmoid over their range.
 */
export function closing(context: GraphContext, name: string, features: Value): Value {
  const { graph, architecture } = context
  const type = 'float32'
  const exact = graph.floatType === type ? features : graph.cast(features, type)
  const x = convolution(context, name, exact, { type })
  const { maxDepthMetres } = architecture
  if (maxDepthMetres === undefined) return relu(context, x)
  return graph.node('Mul', [graph.node('Sigmoid', [x]), graph.vector(Float32Array.of(maxDepthMetres), type)])
}
