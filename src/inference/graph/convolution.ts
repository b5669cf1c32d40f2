import type { FloatType } from '../latents/float-type.ts'
import type { Value } from './graph-builder.ts'
import type { GraphContext } from './graph-context.ts'
import type { WeightTensor } from '../weights/weights-map.ts'

export interface ConvolutionOptions {
  /** @default 1 */
  stride?: number
  /** @default that of the graph */
  type?: FloatType
  /** What each channel of the input is to be multiplied by, folded into the weights. */
  inputScale?: Float32Array
}

/** Convolution with the weights called `name`; its bias where there is one. Square kernels only. */
export function convolution(
  { graph, weights }: GraphContext,
  name: string,
  x: Value,
  { stride = 1, type = graph.floatType, inputScale }: ConvolutionOptions = {}
): Value {
  const weight = weights.tensor(`${name}.weight`)
  const kernel = weight.shape[2]!
  const pad = (kernel - 1) / 2
  const data = inputScale === undefined ? weight.data : scaleInputs(weight, inputScale)
  const bias = weights.has(`${name}.bias`) ? [graph.vector(weights.vector(`${name}.bias`), type)] : []
  return graph.node('Conv', [x, graph.constant(data, weight.shape, type), ...bias], {
    attributes: { kernel_shape: [kernel, kernel], strides: [stride, stride], pads: [pad, pad, pad, pad] }
  })
}

function scaleInputs({ shape, data }: WeightTensor, factors: Float32Array): Float32Array {
  const kernelArea = shape[2]! * shape[3]!
  return data.map((value, index) => value * factors[Math.floor(index / kernelArea) % factors.length]!)
}

/** Transposed convolution whose stride is its kernel: every input cell becomes kernel x kernel cells. */
export function upConvolution({ graph, weights }: GraphContext, name: string, x: Value): Value {
  const weight = weights.tensor(`${name}.weight`)
  const kernel = weight.shape[2]!
  const inputs = [x, graph.constant(weight.data, weight.shape), graph.vector(weights.vector(`${name}.bias`))]
  return graph.node('ConvTranspose', inputs, {
    attributes: { kernel_shape: [kernel, kernel], strides: [kernel, kernel] }
  })
}

/** Bilinear with aligned corners, [B, C, h, w] → [B, C, height, width]. */
export function resize(
  { graph, batch }: GraphContext,
  x: Value,
  channels: number,
  size: readonly [number, number]
): Value {
  return graph.node('Resize', [x, '', '', graph.integers([batch, channels, ...size])], {
    attributes: { mode: 'linear', coordinate_transformation_mode: 'align_corners' }
  })
}

export function relu({ graph }: GraphContext, x: Value): Value {
  return graph.node('Relu', [x])
}
