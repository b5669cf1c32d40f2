import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { packContext, unpackContext } from '../src/context-bytes.ts'
import type { SavedContext } from '../src/context-bytes.ts'
import { frameOfImage, frameOfPixels } from '../src/own-frame.ts'
import { modes } from '../src/session.ts'

const bytes = (maxLength: number) => fc.uint8Array({ maxLength })
const hex = fc.stringMatching(/^[0-9a-f]{64}$/)
/** Text knows no -0. */
const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown)
const frame = fc.oneof(
  bytes(90).map((image) => frameOfImage('jpeg', image)),
  fc.nat(2 ** 40).map((seq) => {
    const shape = { width: 3, height: 2, timestampUs: 0 }
    return frameOfPixels(seq, { rgb: new Uint8Array(18).fill(seq % 256), ...shape })
  })
)
const saved: fc.Arbitrary<SavedContext> = fc.record({
  origin: fc.record({
    model: fc.string({ minLength: 1, maxLength: 128 }),
    ...{ modelDigest: hex, mode: fc.constantFrom(...modes), cacheSize: fc.integer({ min: 1, max: 32 }) }
  }),
  context: fc.record({
    epoch: fc.integer({ min: 0, max: 2 ** 32 - 2 }),
    framesSeen: fc.option(fc.nat()),
    digest: fc.option(hex),
    frames: fc.array(frame, { maxLength: 5 }),
    ...{ seam: fc.option(bytes(50)), latents: fc.option(bytes(50)), notes: json }
  })
})

test('a context is the same again after it was bytes, wherever those lie', () => {
  fc.assert(
    fc.property(saved, fc.nat(7), (written, offset) => {
      const packed = packContext(written)
      const elsewhere = new Uint8Array(packed.byteLength + offset)
      elsewhere.set(packed, offset)
      expect(unpackContext(elsewhere.subarray(offset))).toEqual(written)
    }),
    { numRuns: 200 }
  )
})

const refuses = (wrong: Uint8Array, reason: RegExp): void => {
  expect(() => unpackContext(wrong)).toThrow(
    expect.objectContaining({ code: 'CONTEXT_INVALID', message: expect.stringMatching(reason) })
  )
}

test('one that was cut off, changed or never one is refused by name', () => {
  fc.assert(
    fc.property(saved, fc.nat(), fc.integer({ min: 1, max: 255 }), (written, at, change) => {
      const packed = packContext(written)
      const place = at % packed.byteLength
      refuses(packed.subarray(0, place), /./)
      const changed = Uint8Array.from(packed)
      changed[place]! ^= change
      refuses(changed, /./)
    }),
    { numRuns: 200 }
  )
  fc.assert(
    fc.property(bytes(300), (anything) => refuses(anything, /./)),
    { numRuns: 200 }
  )
})

/** With the digest that it should have: made by someone who knows the form. */
function forged(head: unknown, body: Uint8Array = new Uint8Array()): Uint8Array {
  const text = Buffer.from(typeof head === 'string' ? head : JSON.stringify(head))
  const start = Buffer.alloc(12)
  start.write('LLCX')
  start.writeUInt16LE(1, 4)
  start.writeUInt32LE(text.byteLength, 8)
  const all = Buffer.concat([start, text, body])
  return Buffer.concat([all, createHash('sha256').update(all).digest()])
}

test('one that someone made up is refused where it is wrong', () => {
  const origin = { model: 'm', modelDigest: 'a'.repeat(64), mode: 'ovda', cacheSize: 8 }
  const head = {
    origin,
    epoch: 1,
    framesSeen: 0,
    digest: null,
    notes: null,
    frames: [],
    seam: null,
    latents: null
  }
  expect(unpackContext(forged(head)).origin).toEqual(origin)
  refuses(forged('no json'), /no JSON/)
  refuses(forged({ ...head, epoch: -1 }), /epoch/)
  refuses(forged({ ...head, origin: { ...origin, mode: 'mine' } }), /origin/)
  refuses(forged({ ...head, latents: 5 }), /announces 5 bytes and 0 follow/)
  refuses(forged({ ...head, frames: [2 ** 33] }), /frames/)
  refuses(forged({ ...head, frames: [70] }, new Uint8Array(70)), /Leadline frame/)
  refuses(
    forged(head).map((byte, i) => (i === 4 ? 2 : byte)),
    /version 2 is not 1/
  )
  const tooLong = forged(head)
  new DataView(tooLong.buffer, tooLong.byteOffset).setUint32(8, 2 ** 31, true)
  const end = tooLong.byteLength - 32
  tooLong.set(createHash('sha256').update(tooLong.subarray(0, end)).digest(), end)
  refuses(tooLong, /head/)
})
