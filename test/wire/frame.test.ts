import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LeadlineError } from '../../src/errors.ts'
import {
  checkFrame,
  decodeFrame,
  decodeMessage,
  encodeMessage,
  headerBytes,
  kinds
} from '../../src/wire/frame.ts'
import type { Codec, Dtype, Header, Quantity } from '../../src/wire/frame.ts'

const limits = { maxPixels: 1_000_000 }
const float = fc.float({ noNaN: true })
const headers: fc.Arbitrary<Header> = fc.record({
  kind: fc.constantFrom(kinds.frame, kinds.depth),
  flags: fc.nat(0xffff),
  seq: fc.maxSafeNat(),
  timestampUs: fc.maxSafeNat(),
  epoch: fc.nat(0xffffffff),
  codec: fc.constantFrom<Codec>('raw', 'jpeg', 'webp', 'png', 'rgb24', 'nv12'),
  dtype: fc.constantFrom<Dtype>('u8', 'u16', 'f16', 'f32'),
  width: fc.nat(0xffff),
  height: fc.nat(0xffff),
  scale: float,
  offset: float,
  rangeMin: float,
  rangeMax: float,
  quantity: fc.constantFrom<Quantity>('none', 'relative-inverse-depth', 'metric-depth'),
  queueUs: fc.nat(0xffffffff),
  computeUs: fc.nat(0xffffffff)
})

function frameHeader(over: Partial<Header> = {}): Header {
  return {
    ...{
      kind: kinds.frame,
      flags: 0,
      seq: 7,
      timestampUs: 5,
      epoch: 0,
      codec: 'jpeg',
      dtype: 'u8',
      width: 0,
      height: 0
    },
    ...{ scale: 1, offset: 0, rangeMin: 0, rangeMax: 0, quantity: 'none', queueUs: 0, computeUs: 0 },
    ...over
  }
}

function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (error instanceof LeadlineError) return error.code
    throw error
  }
  return 'none'
}

test('a message decodes to the header and payload it was encoded from', () => {
  fc.assert(
    fc.property(headers, fc.uint8Array(), (header, payload) => {
      const decoded = decodeMessage(encodeMessage(header, payload))
      expect(decoded.header).toEqual(header)
      expect(decoded.payload).toEqual(payload)
    })
  )
})

test('any bytes at all are either a frame or a named error', () => {
  const valid = encodeMessage(frameHeader(), new Uint8Array([1, 2, 3]))
  const mutated = fc
    .array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 4 })
    .map((edits) => edits.reduce((bytes, [at, value]) => bytes.with(at, value), valid))
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), (bytes) => {
      expect(codeOf(() => checkFrame(decodeFrame(bytes), limits))).toMatch(/^(none|FRAME_[A-Z_]+)$/)
    }),
    { numRuns: 2000 }
  )
})

test.each([
  ['a short header', new Uint8Array(63), 'FRAME_MALFORMED'],
  ['wrong magic', new Uint8Array(64), 'FRAME_MALFORMED'],
  ['a depth map', encodeMessage(frameHeader({ kind: kinds.depth }), new Uint8Array(1)), 'FRAME_MALFORMED'],
  ['a raw codec', encodeMessage(frameHeader({ codec: 'raw' }), new Uint8Array(1)), 'FRAME_UNSUPPORTED'],
  ['no payload', encodeMessage(frameHeader(), new Uint8Array(0)), 'FRAME_EMPTY'],
  [
    'too many pixels',
    encodeMessage(frameHeader({ width: 2000, height: 2000 }), new Uint8Array(1)),
    'FRAME_TOO_LARGE'
  ],
  [
    'rgb24 of the wrong length',
    encodeMessage(frameHeader({ codec: 'rgb24', width: 2, height: 2 }), new Uint8Array(11)),
    'FRAME_DECODE_FAILED'
  ],
  [
    'nv12 of odd width',
    encodeMessage(frameHeader({ codec: 'nv12', width: 3, height: 2 }), new Uint8Array(9)),
    'FRAME_MALFORMED'
  ]
])('%s is refused as %s', (_what, bytes, code) => {
  expect(codeOf(() => checkFrame(decodeFrame(bytes), limits))).toBe(code)
})

test('a header longer than today’s is skipped to the payload', () => {
  const message = new Uint8Array(headerBytes + 8 + 2)
  message.set(encodeMessage(frameHeader(), new Uint8Array()))
  new DataView(message.buffer).setUint16(4, headerBytes + 8, true)
  message.set([9, 9], headerBytes + 8)
  expect([...decodeFrame(message).payload]).toEqual([9, 9])
})
