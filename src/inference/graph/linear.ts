import type { GraphBuilder, Value } from './graph-builder.ts'
import type { Matrix } from './matrix.ts'

/** x [rows, in] · Wᵀ of W [out, in], plus `addend` ([out], [1, out] or [rows, out]) in the same pass. */
export function linear(graph: GraphBuilder, x: Value, weight: Matrix, addend?: Value): Value {
  const inputs = [x, graph.matrix(weight), ...(addend === undefined ? [] : [addend])]
  return graph.node('Gemm', inputs, { attributes: { transB: 1 } })
}
