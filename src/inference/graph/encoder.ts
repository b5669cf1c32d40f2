import type { GraphContext } from './graph-context.ts'
import type { Value } from './graph-builder.ts'
import { addLinearLayer, linearLayers } from './linear-layers.ts'
import { scaleRows, sliceRows } from './matrix.ts'
import { layerNorm } from './op-set.ts'
import { patchTokens } from './patch-embedding.ts'

const EPSILON = 1e-6

/**
 * The DINOv2 encoder ("DINOv2", arXiv 2304.07193): frame uint8 [B, H, W, 3] → the four taps [B, patches, D], each
 * through the final norm and without the class token. LayerScale is folded into the projections before it.
 */
export function encoder(context: GraphContext, frame: Value): Value[] {
  const { graph, weights, architecture } = context
  const finalNorm = weights.norm('pretrained.norm', EPSILON)
  const taps = new Map<number, Value>()
  let tokens = patchTokens(context, frame)
  for (let block = 0; block <= Math.max(...architecture.taps); block++) {
    const name = `pretrained.blocks.${block}`
    tokens = attention(context, name, tokens)
    tokens = feedForward(context, name, tokens)
    if (architecture.taps.includes(block))
      taps.set(block, layerNorm(graph, withoutClassToken(context, tokens), finalNorm))
  }
  return architecture.taps.map((block) => taps.get(block)!)
}

function attention(context: GraphContext, name: string, tokens: Value): Value {
  const { graph, ops, weights, architecture, batch, grid } = context
  const dim = architecture.embedDim
  const normed = layerNorm(graph, tokens, weights.norm(`${name}.norm1`, EPSILON))
  const weight = weights.matrix(`${name}.attn.qkv.weight`)
  const bias = weights.vector(`${name}.attn.qkv.bias`)
  // Three products instead of one and a split: the split would copy everything once more.
  const [query, key, value] = linearLayers(
    context,
    normed,
    [0, dim, 2 * dim].map((begin) => ({
      weight: sliceRows(weight, begin, begin + dim),
      bias: bias.subarray(begin, begin + dim)
    }))
  )
  const shape = { batch, tokens: grid[0] * grid[1] + 1, dim, heads: architecture.encoderHeads }
  const mixed = ops.attention(graph, [query!, key!, value!], shape)
  return addBranch(context, tokens, { x: mixed, projection: `${name}.attn.proj`, gamma: `${name}.ls1.gamma` })
}

function feedForward(context: GraphContext, name: string, tokens: Value): Value {
  const { graph, ops, weights } = context
  const normed = layerNorm(graph, tokens, weights.norm(`${name}.norm2`, EPSILON))
  const widening = {
    weight: weights.matrix(`${name}.mlp.fc1.weight`),
    bias: weights.vector(`${name}.mlp.fc1.bias`)
  }
  const hidden = ops.gelu(graph, linearLayers(context, normed, [widening])[0]!)
  return addBranch(context, tokens, { x: hidden, projection: `${name}.mlp.fc2`, gamma: `${name}.ls2.gamma` })
}

interface Branch {
  x: Value
  /** Names of weights. */
  projection: string
  gamma: string
}

/** tokens + gamma * (W x + b) */
function addBranch(context: GraphContext, tokens: Value, { x, projection, gamma }: Branch): Value {
  const { weights } = context
  const scale = weights.vector(gamma)
  const weight = scaleRows(weights.matrix(`${projection}.weight`), scale)
  const bias = weights.vector(`${projection}.bias`).map((value, index) => value * scale[index]!)
  return addLinearLayer(context, tokens, x, { weight, bias })
}

function withoutClassToken({ graph, architecture, batch, grid }: GraphContext, tokens: Value): Value {
  const numTokens = grid[0] * grid[1] + 1
  const batched = graph.reshape(tokens, [batch, numTokens, architecture.embedDim])
  return graph.node('Slice', [batched, graph.integers([1]), graph.integers([numTokens]), graph.integers([1])])
}
