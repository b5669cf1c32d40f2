import { zipSync } from 'fflate'
import { expect, test } from 'vitest'
import { readTorchCheckpoint } from '../../../src/inference/weights/torch-checkpoint.ts'
import { bytesOf, global, opcode, tensor, text, torchFile, zipPickle } from './torch-file.ts'

const six = { '0': bytesOf(Float32Array.of(1, 2, 3, 4, 5, 6)) }
const matrix = tensor({ record: '0', shape: [2, 3], strides: [3, 1] })

function read(file: Uint8Array) {
  return readTorchCheckpoint(file, 'net.pth')
}

test('a state dict gives its tensors by name', () => {
  const weights = read(torchFile({ weight: matrix }, six))
  expect([...weights.keys()]).toEqual(['weight'])
  expect(weights.get('weight')).toEqual({ shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) })
})

test('a transposed view is read in the order of its shape', () => {
  const view = tensor({ record: '0', shape: [3, 2], strides: [1, 3] })
  expect(read(torchFile({ view }, six)).get('view')!.data).toEqual(Float32Array.of(1, 4, 2, 5, 3, 6))
})

test('a view that begins inside its storage is read from there', () => {
  const view = tensor({ record: '0', offset: 4, shape: [2], strides: [1] })
  expect(read(torchFile({ view }, six)).get('view')!.data).toEqual(Float32Array.of(5, 6))
})

test.each([
  ['HalfStorage', Uint16Array.of(0x3c00, 0xc000)],
  ['BFloat16Storage', Uint16Array.of(0x3f80, 0xc000)]
])('%s becomes float32', (storage, bits) => {
  const half = tensor({ record: '0', storage, shape: [2], strides: [1] })
  expect(read(torchFile({ half }, { '0': bytesOf(bits) })).get('half')!.data).toEqual(Float32Array.of(1, -2))
})

test.each([
  [
    'a global that could run code',
    zipPickle(Buffer.concat([opcode(0x80, 2), global('os', 'system')])),
    /global os\.system/
  ],
  [
    'an integer tensor',
    torchFile({ a: tensor({ record: '0', storage: 'LongStorage', shape: [1], strides: [1] }) }),
    /torch\.LongStorage/
  ],
  ['an opcode that a state dict does not need', zipPickle(opcode(0x80, 2, 0x93)), /opcode 0x93 at byte 2/],
  [
    'a call of something that is not a global',
    zipPickle(opcode(0x80, 2, 0x4e, 0x29, 0x52)),
    /calls something not callable/
  ],
  ['a value that is not a tensor', torchFile({ epoch: text('three') }), /'epoch', which is not a tensor/],
  ['a pickle that is cut short', zipPickle(opcode(0x80, 2, 0x58, 9)), /ends in the middle of its pickle/],
  ['a missing record', torchFile({ weight: matrix }), /no record 0, the data of 'weight'/],
  [
    'a record that is too short',
    torchFile({ weight: matrix }, { '0': new Uint8Array(8) }),
    /'weight' shape \[2,3\].* 2 elements/
  ],
  [
    'a view that repeats its storage',
    torchFile({ weight: tensor({ record: '0', shape: [1 << 30, 6], strides: [0, 1] }) }, six),
    /'weight' shape \[1073741824,6\].* 6 elements/
  ],
  [
    'a compressed record',
    zipSync({ 'model/data.pkl': new Uint8Array(1000) }),
    /compressed record model\/data\.pkl; give the file as torch\.save wrote it/
  ],
  [
    'a file that is cut short',
    torchFile({ weight: matrix }, six).subarray(0, -30),
    /begins as a zip file and does not end as one: it was cut short/
  ]
])('%s is refused by name', (_title, file, message) => {
  expect(() => read(file)).toThrow(expect.objectContaining({ code: 'MODEL_FILE_INVALID' }))
  expect(() => read(file)).toThrow(message)
})
