import { expect, test } from 'vitest'
import { readSafetensors } from '../../../src/inference/weights/safetensors-reader.ts'
import { writeSafetensors } from '../../../src/inference/weights/safetensors-writer.ts'

const weights = new Map([
  ['a', { shape: [2, 2], data: Float32Array.of(1, -2.5, 0, 0.125) }],
  ['odd', { shape: [3], data: Float32Array.of(1, 2, 3) }],
  ['b', { shape: [], data: Float32Array.of(7) }]
])

test.each(['float32', 'float16'] as const)('what is written as %s is read again', (dtype) => {
  expect(readSafetensors(writeSafetensors(weights, dtype), 'x')).toEqual(weights)
})

test('a file in the middle of a larger buffer is read', () => {
  const file = writeSafetensors(weights, 'float32')
  const shifted = Buffer.concat([Buffer.alloc(3), file]).subarray(3)
  expect(readSafetensors(shifted, 'x')).toEqual(weights)
})

test('bfloat16 is widened', () => {
  const file = fileOf(
    '{"w":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}',
    Uint8Array.of(0x80, 0x3f, 0, 0xc0)
  )
  expect(readSafetensors(file, 'x').get('w')!.data).toEqual(Float32Array.of(1, -2))
})

test.each([
  ['fewer than eight bytes', new Uint8Array(3), /has 3 bytes/],
  ['a header longer than the file', Buffer.alloc(16, 0xff), /announces a header/],
  ['a header that is not JSON', fileOf('{"w"', new Uint8Array(0)), /not JSON/],
  [
    'another element type',
    fileOf('{"w":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}', new Uint8Array(8)),
    /stores w as I64/
  ],
  [
    'offsets that do not fit the shape',
    fileOf('{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}', new Uint8Array(8)),
    /gives w 4 bytes for shape \[2\]/
  ],
  [
    'data that is cut short',
    fileOf('{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', new Uint8Array(4)),
    /ends before the data of w/
  ]
])('%s is refused by name', (_title, file, message) => {
  expect(() => readSafetensors(file, 'net.safetensors')).toThrow(message)
})

function fileOf(header: string, data: Uint8Array): Uint8Array {
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  return Buffer.concat([length, Buffer.from(header), data])
}
