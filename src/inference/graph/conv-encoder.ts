import type { ConvDimensions } from '../../manifest.ts'
import { convolution, relu } from './convolution.ts'
import { coordinates } from './coordinates.ts'
import type { GraphContext } from './graph-context.ts'
import type { Value } from './graph-builder.ts'
import { imageMean, imageStd } from './image-statistics.ts'
import { addVectors, multiply, transpose } from './matrix.ts'
import { transformerBlock } from './transformer-block.ts'

/**
 * Residual convolutions ("Deep Residual Learning", arXiv 1512.03385) and attention on the coarsest map: frame uint8
 * [B, H, W, 3] → five maps, fine to coarse: [B, stem, H/2, W/2], then [B, widths, H/s, W/s] at the strides 4, 8, 16, 32.
 */
export function convEncoder(context: GraphContext, conv: ConvDimensions, frame: Value): Value[] {
  const maps = [stem(context, frame)]
  for (const [index, depth] of conv.depths.entries())
    maps.push(stage(context, { name: `pretrained.stages.${index}`, depth }, maps.at(-1)!))
  return [...maps.slice(0, -1), attended(context, maps.at(-1)!)]
}

/** Bytes are turned into planes about 0, so that the zeros around them mean the mean; the deviation is folded into weights. */
function stem(context: GraphContext, frame: Value): Value {
  const { graph, ops } = context
  const planes = ops.movesBytes
    ? graph.asFloats(graph.transpose(frame, [0, 3, 1, 2]))
    : graph.transpose(graph.asFloats(frame), [0, 3, 1, 2])
  const mean = Float32Array.from(imageMean, (value) => 255 * value)
  const centred = graph.node('Sub', [planes, graph.constant(mean, [3, 1, 1])])
  const inputScale = Float32Array.from(imageStd, (value) => 1 / (255 * value))
  const halved = relu(context, convolution(context, 'pretrained.stem.0', centred, { stride: 2, inputScale }))
  return relu(context, convolution(context, 'pretrained.stem.1', halved))
}

/** Halves the map, then refines it. */
function stage(context: GraphContext, { name, depth }: { name: string; depth: number }, map: Value): Value {
  let x = relu(context, convolution(context, `${name}.down`, map, { stride: 2 }))
  for (let unit = 0; unit < depth; unit++) x = residualBlock(context, `${name}.units.${unit}`, x)
  return x
}

function residualBlock(context: GraphContext, name: string, x: Value): Value {
  const inner = relu(context, convolution(context, `${name}.conv1`, x))
  return relu(context, context.graph.add(convolution(context, `${name}.conv2`, inner), x))
}

/** Every cell of the coarsest map, told where it lies, looks at every other: [B, D, h, w] → the same shape. */
function attended(context: GraphContext, map: Value): Value {
  const { graph, weights, architecture, batch, grid } = context
  const dim = architecture.embedDim
  const cells = [grid[0] / 2, grid[1] / 2] as const
  const numTokens = cells[0] * cells[1]
  const places = multiply(coordinates(cells), transpose(weights.matrix('pretrained.position.weight')))
  const bias = weights.vector('pretrained.position.bias')
  const rows = Array.from({ length: numTokens }, (_, cell) =>
    addVectors(places.data.subarray(cell * dim, (cell + 1) * dim), bias)
  )
  const positions = Float32Array.from(rows.flatMap((row) => [...row]))
  const byCell = graph.transpose(graph.reshape(map, [batch, dim, numTokens]), [0, 2, 1])
  const placed = graph.add(byCell, graph.constant(positions, [numTokens, dim]))
  let tokens = graph.reshape(placed, [batch * numTokens, dim])
  for (let block = 0; block < architecture.blocks; block++)
    tokens = transformerBlock(context, { name: `pretrained.blocks.${block}`, tokens, numTokens })
  const byChannel = graph.transpose(graph.reshape(tokens, [batch, numTokens, dim]), [0, 2, 1])
  return graph.reshape(byChannel, [batch, dim, ...cells])
}
