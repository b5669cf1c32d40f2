import type { GraphBuilder, Value } from './graph-builder.ts'

export interface NormWeights {
  scale: Float32Array
  bias: Float32Array
  epsilon: number
}

export interface AttentionShape {
  batch: number
  tokens: number
  dim: number
  heads: number
}

/**
 * The steps that ONNX Runtime has faster operators for than the standard. Everything else in a graph is plain ONNX.
 * Both sets give the same numbers; a device without the operators of com.microsoft takes the standard one.
 */
export interface OpSet {
  /** Whether bytes can be transposed and joined; if not, they become floats first. */
  movesBytes: boolean
  /** x [B, groups, n] → each group with mean 0 and variance 1. */
  normalizeGroups(graph: GraphBuilder, x: Value, groups: number, epsilon: number): Value
  /** Softmax attention of every token to every token: [B*S, D] x 3 → [B*S, D]. */
  attention(graph: GraphBuilder, qkv: readonly [Value, Value, Value], shape: AttentionShape): Value
  /** GELU, the exact one by erf. */
  gelu(graph: GraphBuilder, x: Value): Value
  /** x [..., m, k] · yᵀ of y [..., n, k] → [..., m, n] */
  multiplyTransposed(graph: GraphBuilder, x: Value, y: Value): Value
  /** xᵀ of x [..., k, m] · y [..., k, n] → [..., m, n] */
  transposedMultiply(graph: GraphBuilder, x: Value, y: Value): Value
  /** query [R, h, C] against every slot of cache [L, R, C] → [R, h, L] */
  slotScores(graph: GraphBuilder, query: Value, cache: Value): Value
  /** weights [R, h, L] over cache [L, R, C] → [R, h, C] */
  slotSum(graph: GraphBuilder, weights: Value, cache: Value): Value
}

export function layerNorm(graph: GraphBuilder, x: Value, norm: NormWeights, output?: Value): Value {
  return graph.node('LayerNormalization', [x, graph.vector(norm.scale), graph.vector(norm.bias)], {
    attributes: { axis: -1, epsilon: { float: norm.epsilon } },
    ...(output === undefined ? {} : { outputs: [output] })
  })
}
