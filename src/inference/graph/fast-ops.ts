import type { AddNorm, OpSet } from './op-set.ts'

const domain = 'com.microsoft'

/** With ONNX Runtime's own operators. */
export const fastOps: OpSet = {
  attention(graph, qkv, { batch, tokens, dim, heads }) {
    const inputs = qkv.map((value) => graph.reshape(value, [batch, tokens, dim]))
    const mixed = graph.node('MultiHeadAttention', inputs, { domain, attributes: { num_heads: heads } })
    return graph.reshape(mixed, [batch * tokens, dim])
  },

  biasGelu(graph, x, bias) {
    return graph.node('BiasGelu', [x, graph.vector(bias)], { domain })
  },

  addNorm(graph, x, delta, bias, norm): AddNorm {
    const normed = graph.newName('normed')
    const sum = graph.newName('sum')
    const inputs = [x, delta, graph.vector(norm.scale), graph.vector(norm.bias), graph.vector(bias)]
    graph.node('SkipLayerNormalization', inputs, {
      domain,
      attributes: { epsilon: { float: norm.epsilon } },
      outputs: [normed, '', '', sum]
    })
    return { sum, normed }
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
