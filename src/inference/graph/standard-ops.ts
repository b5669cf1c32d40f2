import type { GraphBuilder, Value } from './graph-builder.ts'
import type { OpSet } from './op-set.ts'

/** With the operators of ONNX opset 18 alone. */
export const standardOps: OpSet = {
  movesBytes: true,

  normalizeGroups(graph, x, groups, epsilon) {
    const ones = graph.vector(new Float32Array(groups).fill(1))
    const zeros = graph.vector(new Float32Array(groups))
    return graph.node('InstanceNormalization', [x, ones, zeros], {
      attributes: { epsilon: { float: epsilon } }
    })
  },

  attention(graph, qkv, { batch, tokens, dim, heads }) {
    const headDim = dim / heads
    const [query, key, value] = qkv.map((tensor) => graph.reshape(tensor, [batch, tokens, heads, headDim]))
    const scores = graph.node('MatMul', [
      scaled(graph, graph.transpose(query!, [0, 2, 1, 3]), headDim ** -0.5),
      graph.transpose(key!, [0, 2, 3, 1])
    ])
    const mixed = graph.node('MatMul', [softmax(graph, scores), graph.transpose(value!, [0, 2, 1, 3])])
    return graph.reshape(graph.transpose(mixed, [0, 2, 1, 3]), [batch * tokens, dim])
  },

  gelu(graph, x) {
    const error = graph.node('Erf', [scaled(graph, x, Math.SQRT1_2)])
    const gate = graph.add(error, graph.vector(Float32Array.of(1)))
    return scaled(graph, graph.node('Mul', [x, gate]), 0.5)
  },

  multiplyTransposed(graph, x, y) {
    return graph.node('MatMul', [x, graph.transpose(y, [0, 2, 1])])
  },

  transposedMultiply(graph, x, y) {
    return graph.node('MatMul', [graph.transpose(x, [0, 2, 1]), y])
  },

  slotScores(graph, query, cache) {
    return graph.node('MatMul', [query, graph.transpose(cache, [1, 2, 0])])
  },

  slotSum(graph, weights, cache) {
    return graph.node('MatMul', [weights, graph.transpose(cache, [1, 0, 2])])
  }
}

function scaled(graph: GraphBuilder, value: Value, factor: number): Value {
  return graph.node('Mul', [value, graph.vector(Float32Array.of(factor))])
}

function softmax(graph: GraphBuilder, value: Value): Value {
  return graph.node('Softmax', [value], { attributes: { axis: -1 } })
}
