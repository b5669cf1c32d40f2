import { fastOps } from './fast-ops.ts'
import type { OpSet } from './op-set.ts'
import { standardOps } from './standard-ops.ts'

/**
 * What ONNX Runtime's WebGPU provider has: the standard's operators but for those that move bytes, and Gelu. It has
 * MultiHeadAttention too, whose shaders a software driver compiles for a minute; what it gains on a GPU is not measured.
 */
export const webgpuOps: OpSet = {
  ...standardOps,
  gelu: fastOps.gelu,
  movesBytes: false,

  /** Its variance is E[x²] - E[x]², of which little is left where the mean is large: the mean is taken off before. */
  normalizeGroups(graph, x, groups, epsilon) {
    const mean = graph.node('ReduceMean', [x, graph.integers([-1])])
    return standardOps.normalizeGroups(graph, graph.node('Sub', [x, mean]), groups, epsilon)
  }
}
