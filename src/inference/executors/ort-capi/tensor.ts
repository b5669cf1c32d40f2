import koffi from 'koffi'
import type { Pointer } from './c-api.ts'
import type { OpenRuntime } from './open-runtime.ts'

/** TensorProto.DataType, which the C API shares. */
const elements = {
  float32: { type: 1, bytes: 4 },
  uint8: { type: 2, bytes: 1 },
  int64: { type: 7, bytes: 8 },
  float16: { type: 10, bytes: 2 }
} as const
export type ElementType = keyof typeof elements

/** An OrtValue over memory that someone else owns and that outlives it. `memory` says where. To be released. */
export function tensorOver(
  { api }: OpenRuntime,
  memory: Pointer,
  { data, type, dims }: { data: Pointer; type: ElementType; dims: readonly number[] }
): Pointer {
  const { type: code, bytes } = elements[type]
  return api.make('createTensorWithData', memory, data, count(dims) * bytes, dims, dims.length, code)
}

function count(dims: readonly number[]): number {
  return dims.reduce((product, size) => product * size, 1)
}

/** A tensor in host memory whose address stays: memory of V8's own may move. */
export class HostTensor {
  readonly value: Pointer
  readonly bytes: Uint8Array
  readonly #runtime: OpenRuntime
  readonly #data: unknown

  constructor(runtime: OpenRuntime, type: ElementType, dims: readonly number[]) {
    const length = count(dims) * elements[type].bytes
    this.#runtime = runtime
    this.#data = koffi.alloc('uint8_t', length)
    this.bytes = new Uint8Array(koffi.view(this.#data, length))
    const data = koffi.address(this.#data)
    this.value = tensorOver(runtime, runtime.hostMemory, { data, type, dims })
  }

  get floats(): Float32Array {
    return new Float32Array(this.bytes.buffer)
  }

  get integers(): BigInt64Array {
    return new BigInt64Array(this.bytes.buffer)
  }

  close(): void {
    this.#runtime.api.release('value', this.value)
    koffi.free(this.#data)
  }
}
