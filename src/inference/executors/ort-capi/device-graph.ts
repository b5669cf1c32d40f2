import type { Precision } from '../../../manifest.ts'
import type { RingWriting } from '../../graph/graph-context.ts'
import type { OpSetName } from '../../graph/step-graph.ts'
import type { DeviceKind } from './device-spec.ts'

/** CUDA has kernels for ONNX Runtime's own operators, TensorRT has none. */
export function opSetOf(device: DeviceKind): OpSetName {
  return device === 'tensorrt' ? 'tensorrt' : 'fast'
}

/**
 * In place, nothing may read a ring before the frame's latents are in it. That holds where operators run one by one as the
 * graph orders them. TensorRT orders them anew, and where an operator has no half precision kernel, the cast of its inputs
 * runs first of all: there the graph puts the latents into a copy of the ring by itself.
 */
export function ringWriting(device: DeviceKind, precision: Precision): RingWriting {
  return device === 'tensorrt' || precision === 'fp16' ? 'scattered' : 'inPlace'
}
