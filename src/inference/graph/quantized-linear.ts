import type { WeightBits } from '../cpu-features.ts'
import type { GraphBuilder, Value } from './graph-builder.ts'
import type { GraphContext } from './graph-context.ts'
import type { Matrix } from './matrix.ts'

const domain = 'com.microsoft'

/** Symmetric, so that no zero point has to be taken off. */
const largestWeights: Record<WeightBits, number> = { 7: 64, 8: 127 }

/** A float tensor as bytes: value = scale * (byte - zeroPoint), one scale for the whole tensor, made anew every run. */
export interface Quantized {
  bytes: Value
  scale: Value
  zeroPoint: Value
}

export function quantize(graph: GraphBuilder, x: Value): Quantized {
  const outputs = ['bytes', 'scale', 'zero'].map((hint) => graph.newName(hint))
  graph.node('DynamicQuantizeLinear', [x], { outputs })
  return { bytes: outputs[0]!, scale: outputs[1]!, zeroPoint: outputs[2]! }
}

/**
 * x [rows, in] · Wᵀ of W [out, in] + bias [out], in 8-bit integers, summed exactly in 32 bits; each output channel has
 * a weight scale of its own. ("Integer Quantization for Deep Learning Inference", arXiv 2004.09602.)
 */
export function quantizedLinear(
  { graph, weightBits }: Pick<GraphContext, 'graph' | 'weightBits'>,
  x: Quantized,
  weight: Matrix,
  bias?: Float32Array
): Value {
  const { bytes, scales } = quantizeColumns(weight, weightBits)
  const inputs = [
    x.bytes,
    graph.signedBytes(bytes, [weight.columns, weight.rows]),
    x.scale,
    graph.vector(scales),
    x.zeroPoint,
    ...(bias ? ['', graph.vector(bias)] : [])
  ]
  return graph.node('MatMulIntegerToFloat', inputs, { domain })
}

/** W [out, in] → its transpose [in, out] in 8 bits, and what one step of each output channel is worth. */
export function quantizeColumns(
  { rows, columns, data }: Matrix,
  weightBits: WeightBits
): { bytes: Int8Array; scales: Float32Array } {
  const bytes = new Int8Array(data.length)
  const scales = new Float32Array(rows)
  for (let row = 0; row < rows; row++) {
    const weights = data.subarray(row * columns, (row + 1) * columns)
    const largest = weights.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    const scale = largest / largestWeights[weightBits] || 1
    scales[row] = scale
    for (let column = 0; column < columns; column++)
      bytes[column * rows + row] = Math.round(weights[column]! / scale)
  }
  return { bytes, scales }
}
