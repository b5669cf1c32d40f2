import type { GraphContext } from './graph-context.ts'
import type { Value } from './graph-builder.ts'
import { addLinearLayer, linearLayers } from './linear-layers.ts'
import { scaleRows, sliceRows } from './matrix.ts'
import { layerNorm } from './op-set.ts'

/** Of the encoder's norms. */
export const NORM_EPSILON = 1e-6

interface Block {
  /** Of its weights, as in "pretrained.blocks.0". */
  name: string
  /** [B*N, D] */
  tokens: Value
  /** N, of one row of the batch. */
  numTokens: number
}

/** One block of the vision transformer of DINOv2: attention of all tokens to all, then two layers with a GELU between. */
export function transformerBlock(context: GraphContext, { name, tokens, numTokens }: Block): Value {
  return feedForward(context, name, attention(context, { name, tokens, numTokens }))
}

function attention(context: GraphContext, { name, tokens, numTokens }: Block): Value {
  const { graph, ops, weights, architecture, batch } = context
  const dim = architecture.embedDim
  const normed = layerNorm(graph, tokens, weights.norm(`${name}.norm1`, NORM_EPSILON))
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
  const shape = { batch, tokens: numTokens, dim, heads: architecture.encoderHeads }
  const mixed = ops.attention(graph, [query!, key!, value!], shape)
  return addBranch(context, tokens, { x: mixed, projection: `${name}.attn.proj`, gamma: `${name}.ls1.gamma` })
}

function feedForward(context: GraphContext, name: string, tokens: Value): Value {
  const { graph, ops, weights } = context
  const normed = layerNorm(graph, tokens, weights.norm(`${name}.norm2`, NORM_EPSILON))
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

/** tokens + gamma * (W x + b); LayerScale is folded into the projection. */
function addBranch(context: GraphContext, tokens: Value, { x, projection, gamma }: Branch): Value {
  const { weights } = context
  const scale = weights.vector(gamma)
  const weight = scaleRows(weights.matrix(`${projection}.weight`), scale)
  const bias = weights.vector(`${projection}.bias`).map((value, index) => value * scale[index]!)
  return addLinearLayer(context, tokens, x, { weight, bias })
}
