import { expect, test } from 'vitest'
import { readNpy } from '../../../src/inference/weights/npy.ts'

function npy(header: string, data: Uint8Array): Uint8Array {
  const length = Buffer.alloc(2)
  length.writeUInt16LE(header.length)
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), length, Buffer.from(header), data])
}

test('float32 and uint8 arrays come with their shape', () => {
  const floats = npy(
    "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }",
    new Uint8Array(Float32Array.of(1, 2).buffer)
  )
  expect(readNpy(floats, 'x')).toEqual({ shape: [2, 1], data: Float32Array.of(1, 2) })
  const bytes = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }", Uint8Array.of(1, 2, 3))
  expect(readNpy(bytes, 'x')).toEqual({ shape: [3], data: Uint8Array.of(1, 2, 3) })
})

test.each([
  [
    'another element type',
    npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", new Uint8Array(8)),
    /type <f8/
  ],
  [
    'Fortran order',
    npy("{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }", new Uint8Array(4)),
    /Fortran order/
  ],
  [
    'missing data',
    npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", new Uint8Array(4)),
    /shorter than its shape/
  ],
  ['another format', new Uint8Array(20), /not an \.npy file/]
])('%s is refused by name', (_title, file, message) => {
  expect(() => readNpy(file, 'a.npy')).toThrow(message)
})
