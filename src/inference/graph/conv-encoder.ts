import type { ConvDimensions } from '../../manifest.ts'
import { convolution, relu } from './convolution.ts'
import { coordinates } from './coordinates.ts'
import { toCells, type FeatureMap } from './feature-map.ts'
import type { GraphContext } from './graph-context.ts'
import type { Value } from './graph-builder.ts'
import { imageMean, imageStd } from './image-statistics.ts'
import { multiply, transpose } from './matrix.ts'
import { quantizedConvolution } from './quantized-convolution.ts'
import { transformerBlock } from './transformer-block.ts'

/**
 * Residual convolutions ("Deep Residual Learning", arXiv 1512.03385) and attention on the coarsest map: frame uint8
 * [B, H, W, 3] → five maps, fine to coarse, of the strides 2, 4, 8, 16 and 32; the first is planes. With int8 the stages
 * are cells, but for the convolution that leads into the first: with as few channels as up to there, floats are as fast.
 */
export function convEncoder(context: GraphContext, conv: ConvDimensions, frame: Value): FeatureMap[] {
  const maps = [stem(context, frame)]
  for (const [index, depth] of conv.depths.entries())
    maps.push(stage(context, { index, depth }, maps.at(-1)!))
  return [...maps.slice(0, -1), attended(context, maps.at(-1)!)]
}

/** Bytes are turned into planes about 0, so that the zeros around them mean the mean; the deviation is folded into weights. */
function stem(context: GraphContext, frame: Value): FeatureMap {
  const { graph, ops, grid, architecture } = context
  const planes = ops.movesBytes
    ? graph.asFloats(graph.transpose(frame, [0, 3, 1, 2]))
    : graph.transpose(graph.asFloats(frame), [0, 3, 1, 2])
  const mean = Float32Array.from(imageMean, (value) => 255 * value)
  const centred = graph.node('Sub', [planes, graph.constant(mean, [3, 1, 1])])
  const inputScale = Float32Array.from(imageStd, (value) => 1 / (255 * value))
  const halved = relu(context, convolution(context, 'pretrained.stem.0', centred, { stride: 2, inputScale }))
  const value = relu(context, convolution(context, 'pretrained.stem.1', halved))
  const scale = architecture.patch / 2
  return { layout: 'planes', value, grid: [scale * grid[0], scale * grid[1]] }
}

/** Halves the map, then refines it. */
function stage(
  context: GraphContext,
  { index, depth }: { index: number; depth: number },
  map: FeatureMap
): FeatureMap {
  const name = `pretrained.stages.${index}`
  let x = activated(context, convolved(context, `${name}.down`, map, 2))
  if (context.precision === 'int8') {
    const channels = context.weights.tensor(`${name}.down.weight`).shape[0]!
    x = { ...x, layout: 'cells', value: toCells(context, x, channels) }
  }
  for (let unit = 0; unit < depth; unit++) x = residualBlock(context, `${name}.units.${unit}`, x)
  return x
}

function residualBlock(context: GraphContext, name: string, x: FeatureMap): FeatureMap {
  const inner = activated(context, convolved(context, `${name}.conv1`, x, 1))
  const { value } = convolved(context, `${name}.conv2`, inner, 1)
  return activated(context, { ...x, value: context.graph.add(value, x.value) })
}

function convolved(context: GraphContext, name: string, map: FeatureMap, stride: 1 | 2): FeatureMap {
  const { layout, value, grid } = map
  return {
    layout,
    value:
      layout === 'cells'
        ? quantizedConvolution(context, name, { value, grid }, stride)
        : convolution(context, name, value, { stride }),
    grid: [grid[0] / stride, grid[1] / stride]
  }
}

function activated(context: GraphContext, map: FeatureMap): FeatureMap {
  return { ...map, value: relu(context, map.value) }
}

/** Every cell of the coarsest map, told where it lies, looks at every other. */
function attended(context: GraphContext, map: FeatureMap): FeatureMap {
  const { graph, weights, architecture, batch } = context
  const dim = architecture.embedDim
  const numTokens = map.grid[0] * map.grid[1]
  const places = multiply(coordinates(map.grid), transpose(weights.matrix('pretrained.position.weight')))
  const bias = weights.vector('pretrained.position.bias')
  const positions = places.data.map((value, index) => value + bias[index % dim]!)
  const placed = graph.add(toCells(context, map, dim), graph.constant(positions, [numTokens, dim]))
  let tokens = graph.reshape(placed, [batch * numTokens, dim])
  for (let block = 0; block < architecture.blocks; block++)
    tokens = transformerBlock(context, { name: `pretrained.blocks.${block}`, tokens, numTokens })
  return { layout: 'cells', value: graph.reshape(tokens, [batch, numTokens, dim]), grid: map.grid }
}
