import type { GraphContext } from './graph-context.ts'
import type { GraphBuilder, Value } from './graph-builder.ts'
import type { LayerWeights } from './layer-weights.ts'
import { linear } from './linear.ts'
import { scaleRows, sliceRows, type Matrix } from './matrix.ts'
import { layerNorm, type NormWeights } from './op-set.ts'
import { patchTokens } from './patch-embedding.ts'

const EPSILON = 1e-6

/**
 * The DINOv2 encoder ("DINOv2", arXiv 2304.07193): frame uint8 [B, H, W, 3] → the four taps [B, patches, D], each
 * through the final norm and without the class token. LayerScale is folded into the projections before it.
 */
export function encoder(context: GraphContext, frame: Value): Value[] {
  const { graph, ops, weights, architecture } = context
  const finalNorm = weights.norm('pretrained.norm', EPSILON)
  const lastTap = Math.max(...architecture.taps)
  const blockOutputs = new Map<number, Value>()
  let tokens = patchTokens(context, frame)
  let normed = layerNorm(graph, tokens, firstNorm(weights, 0))
  for (let block = 0; block <= lastTap; block++) {
    const attended = attention(context, block, normed)
    const afterAttention = ops.addNorm(
      graph,
      tokens,
      attended.delta,
      attended.bias,
      secondNorm(weights, block)
    )
    const mlp = feedForward(context, block, afterAttention.normed)
    const nextNorm = block === lastTap ? finalNorm : firstNorm(weights, block + 1)
    const afterMlp = ops.addNorm(graph, afterAttention.sum, mlp.delta, mlp.bias, nextNorm)
    tokens = afterMlp.sum
    normed = afterMlp.normed
    blockOutputs.set(block, block === lastTap ? normed : tokens)
  }
  const taps = new Map<number, Value>()
  for (const block of new Set(architecture.taps)) {
    const patches = withoutClassToken(context, blockOutputs.get(block)!)
    taps.set(block, block === lastTap ? patches : layerNorm(graph, patches, finalNorm))
  }
  return architecture.taps.map((block) => taps.get(block)!)
}

/** A residual branch; its bias is added together with the residual. */
interface Branch {
  delta: Value
  bias: Float32Array
}

function attention(
  { graph, ops, weights, architecture, batch, grid }: GraphContext,
  block: number,
  x: Value
): Branch {
  const name = `pretrained.blocks.${block}.attn`
  const dim = architecture.embedDim
  const weight = weights.matrix(`${name}.qkv.weight`)
  const bias = weights.vector(`${name}.qkv.bias`)
  const [query, key, value] = [0, 1, 2].map((part) => {
    const begin = part * dim
    const partBias = graph.vector(bias.subarray(begin, begin + dim))
    return linear(graph, x, sliceRows(weight, begin, begin + dim), partBias)
  })
  const shape = { batch, tokens: grid[0] * grid[1] + 1, dim, heads: architecture.encoderHeads }
  const mixed = ops.attention(graph, [query!, key!, value!], shape)
  const gamma = weights.vector(`pretrained.blocks.${block}.ls1.gamma`)
  return scaledBranch(
    graph,
    mixed,
    gamma,
    weights.matrix(`${name}.proj.weight`),
    weights.vector(`${name}.proj.bias`)
  )
}

function feedForward({ graph, ops, weights }: GraphContext, block: number, x: Value): Branch {
  const name = `pretrained.blocks.${block}.mlp`
  const hidden = ops.biasGelu(
    graph,
    linear(graph, x, weights.matrix(`${name}.fc1.weight`)),
    weights.vector(`${name}.fc1.bias`)
  )
  const gamma = weights.vector(`pretrained.blocks.${block}.ls2.gamma`)
  return scaledBranch(
    graph,
    hidden,
    gamma,
    weights.matrix(`${name}.fc2.weight`),
    weights.vector(`${name}.fc2.bias`)
  )
}

function scaledBranch(
  graph: GraphBuilder,
  x: Value,
  gamma: Float32Array,
  weight: Matrix,
  bias: Float32Array
): Branch {
  return {
    delta: linear(graph, x, scaleRows(weight, gamma)),
    bias: bias.map((value, index) => value * gamma[index]!)
  }
}

function withoutClassToken({ graph, architecture, batch, grid }: GraphContext, tokens: Value): Value {
  const numTokens = grid[0] * grid[1] + 1
  const batched = graph.reshape(tokens, [batch, numTokens, architecture.embedDim])
  return graph.node('Slice', [batched, graph.integers([1]), graph.integers([numTokens]), graph.integers([1])])
}

function firstNorm(weights: LayerWeights, block: number): NormWeights {
  return weights.norm(`pretrained.blocks.${block}.norm1`, EPSILON)
}

function secondNorm(weights: LayerWeights, block: number): NormWeights {
  return weights.norm(`pretrained.blocks.${block}.norm2`, EPSILON)
}
