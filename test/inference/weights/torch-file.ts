import { zipSync } from 'fflate'
import type { WeightsMap } from '../../../src/inference/weights/weights-map.ts'

/** Writes a state dict as torch.save does: a pickle of protocol 2 and one record per storage. */
export function torchFile(
  state: Record<string, Uint8Array>,
  records: Record<string, Uint8Array> = {}
): Uint8Array {
  const items = Object.entries(state).flatMap(([key, value]) => [text(key), value])
  const pickle = concat(opcode(0x80, 2), opcode(0x7d), opcode(0x28), ...items, opcode(0x75), opcode(0x2e))
  return zipPickle(pickle, records)
}

/** Float32 weights as torch.save would store them. */
export function checkpointOf(weights: WeightsMap): Uint8Array {
  const entries = [...weights]
  const state = entries.map(([name, { shape }], index) => {
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1))
    return [name, tensor({ record: String(index), shape, strides })] as const
  })
  const records = entries.map(([, { data }], index) => [String(index), bytesOf(data)] as const)
  return torchFile(Object.fromEntries(state), Object.fromEntries(records))
}

export function bytesOf(values: Float32Array | Uint16Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}

export function zipPickle(pickle: Uint8Array, records: Record<string, Uint8Array> = {}): Uint8Array {
  const data = Object.entries(records).map(([name, bytes]) => [`model/data/${name}`, bytes] as const)
  return zipSync({ 'model/data.pkl': pickle, ...Object.fromEntries(data) }, { level: 0 })
}

export interface TorchTensor {
  record: string
  storage?: string
  offset?: number
  shape: readonly number[]
  strides: readonly number[]
}

/** torch._utils._rebuild_tensor_v2(storage, offset, shape, strides, False, OrderedDict()) */
export function tensor({
  record,
  storage = 'FloatStorage',
  offset = 0,
  shape,
  strides
}: TorchTensor): Uint8Array {
  const persistentId = concat(
    opcode(0x28),
    text('storage'),
    global('torch', storage),
    text(record),
    text('cpu'),
    integer(0),
    opcode(0x74),
    opcode(0x51)
  )
  return concat(
    global('torch._utils', '_rebuild_tensor_v2'),
    opcode(0x28),
    persistentId,
    integer(offset),
    tuple(shape),
    tuple(strides),
    opcode(0x89),
    global('collections', 'OrderedDict'),
    opcode(0x29),
    opcode(0x52),
    opcode(0x74),
    opcode(0x52)
  )
}

export function global(module: string, name: string): Uint8Array {
  return concat(opcode(0x63), Buffer.from(`${module}\n${name}\n`))
}

export function text(value: string): Uint8Array {
  const bytes = Buffer.from(value)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(bytes.length)
  return concat(opcode(0x58), length, bytes)
}

export function opcode(...bytes: number[]): Uint8Array {
  return Uint8Array.from(bytes)
}

function integer(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  return concat(opcode(0x4a), bytes)
}

function tuple(values: readonly number[]): Uint8Array {
  return concat(opcode(0x28), ...values.map(integer), opcode(0x74))
}

function concat(...parts: Uint8Array[]): Uint8Array {
  return Buffer.concat(parts)
}
