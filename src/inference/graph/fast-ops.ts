import type { OpSet } from './op-set.ts'
import { standardOps } from './standard-ops.ts'

const domain = 'com.microsoft'

/** With ONNX Runtime's own operators. */
export const fastOps: OpSet = {
  movesBytes: true,
  normalizeGroups: standardOps.normalizeGroups,

  attention(graph, qkv, { batch, tokens, dim, heads }) {
    const inputs = qkv.map((value) => graph.reshape(value, [batch, tokens, dim]))
    const mixed = graph.node('MultiHeadAttention', inputs, { domain, attributes: { num_heads: heads } })
    return graph.reshape(mixed, [batch * tokens, dim])
  },

  gelu(graph, x) {
    return graph.node('Gelu', [x], { domain })
  },

  multiplyTransposed(graph, x, y) {
    return graph.node('FusedMatMul', [x, y], { domain, attributes: { transB: 1 } })
  },

  transposedMultiply(graph, x, y) {
    return graph.node('FusedMatMul', [x, y], { domain, attributes: { transA: 1 } })
  },

  slotScores(graph, query, cache) {
    return graph.node('FusedMatMul', [query, cache], { domain, attributes: { transB: 1, transBatchB: 1 } })
  },

  slotSum(graph, weights, cache) {
    return graph.node('FusedMatMul', [weights, cache], { domain, attributes: { transBatchB: 1 } })
  }
}
