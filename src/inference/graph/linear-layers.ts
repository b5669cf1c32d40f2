import type { Value } from './graph-builder.ts'
import type { GraphContext } from './graph-context.ts'
import { linear } from './linear.ts'
import type { Matrix } from './matrix.ts'
import { quantize, quantizedLinear } from './quantized-linear.ts'

export interface LinearLayer {
  /** [out, in] */
  weight: Matrix
  /** [out]; none: zeros. */
  bias?: Float32Array | undefined
}

/** W x + b of several layers with the same input x [rows, in], which precision int8 quantises once for all of them. */
export function linearLayers(context: GraphContext, x: Value, layers: readonly LinearLayer[]): Value[] {
  const { graph, precision } = context
  if (precision === 'int8') {
    const quantized = quantize(graph, x)
    return layers.map(({ weight, bias }) => quantizedLinear(context, quantized, weight, bias))
  }
  return layers.map(({ weight, bias }) =>
    linear(graph, x, weight, bias === undefined ? undefined : graph.vector(bias))
  )
}

/** addend + W x + b, the addend [rows, out]. In floats the product adds it in the same pass; the bias comes after. */
export function addLinearLayer(
  context: GraphContext,
  addend: Value,
  x: Value,
  { weight, bias }: LinearLayer
): Value {
  const { graph, precision } = context
  if (precision === 'int8') return graph.add(addend, linearLayers(context, x, [{ weight, bias }])[0]!)
  const sum = linear(graph, x, weight, addend)
  return bias ? graph.add(sum, graph.vector(bias)) : sum
}
