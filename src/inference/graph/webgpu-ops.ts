import { fastOps } from './fast-ops.ts'
import type { OpSet } from './op-set.ts'
import { standardOps } from './standard-ops.ts'

/**
 * What ONNX Runtime's WebGPU provider has: the standard's operators but for those that move bytes, and Gelu. It has
 * MultiHeadAttention too, whose shaders a software driver compiles for a minute; what it gains on a GPU is not measured.
 */
export const webgpuOps: OpSet = { ...standardOps, gelu: fastOps.gelu, movesBytes: false }
