import { expect, test } from 'vitest'
import { depthValues } from '../../src/client/index.ts'
import { encodeFloat16 } from '../../src/maps/float16.ts'
import type { Header } from '../../src/wire/frame.ts'
import { decodeMessage, encodeMessage } from '../../src/wire/frame.ts'

const header: Header = {
  ...{ kind: 2, flags: 0, seq: 0, timestampUs: 0, epoch: 0, codec: 'raw', dtype: 'u16', width: 2, height: 2 },
  ...{
    scale: 0.5,
    offset: 1,
    rangeMin: 0,
    rangeMax: 1,
    quantity: 'relative-inverse-depth',
    queueUs: 0,
    computeUs: 0
  }
}
const bytes = (values: Uint16Array | Float32Array) => new Uint8Array(values.buffer)

test.each([
  ['u8', Uint8Array.of(0, 1, 2, 255), [1, 1.5, 2, 128.5]],
  ['u16', bytes(Uint16Array.of(0, 1, 2, 65_535)), [1, 1.5, 2, 32_768.5]],
  ['f16', bytes(encodeFloat16(Float32Array.of(0, 1, -2, 0.25))), [1, 1.5, 0, 1.125]],
  ['f32', bytes(Float32Array.of(0, 1, -2, 0.25)), [1, 1.5, 0, 1.125]]
] as const)('%s: a value is stored * scale + offset', (dtype, payload, expected) => {
  expect([...depthValues({ header: { ...header, dtype }, payload })]).toEqual(expected)
})

test('a payload at an odd address is read all the same', () => {
  const message = encodeMessage(header, bytes(Uint16Array.of(1, 2, 3, 4)))
  const shifted = new Uint8Array(message.byteLength + 1)
  shifted.set(message, 1)
  expect([...depthValues(decodeMessage(shifted.subarray(1)))]).toEqual([1.5, 2, 2.5, 3])
})

test('a payload may be a Buffer, which shares its memory with others', () => {
  const message = Buffer.concat([encodeMessage(header, bytes(Uint16Array.of(1, 2, 3, 4)))])
  expect([...depthValues(decodeMessage(message))]).toEqual([1.5, 2, 2.5, 3])
})

test.each([0, 6, 7, 9, 10])('%i bytes are not a map of 2x2 u16', (length) => {
  expect(() => depthValues({ header, payload: new Uint8Array(length) })).toThrow(
    /2x2 u16 cannot have \d+ bytes/
  )
})

test('a picture has no plain values, and the error says what to ask for', () => {
  expect(() => depthValues({ header: { ...header, codec: 'png' }, payload: new Uint8Array(8) })).toThrow(
    /u16, f16 or f32/
  )
})
