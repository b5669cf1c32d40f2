import type { OpSet } from './op-set.ts'
import { standardOps } from './standard-ops.ts'

/**
 * What TensorRT has. An operator of ONNX Runtime's own, or one that moves bytes, would cut the network in two there: each
 * part an engine of its own, with the operator between them left to CUDA.
 */
export const tensorRtOps: OpSet = { ...standardOps, movesBytes: false }
