import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { packContext, unpackContext } from '../../src/wire/context-bytes.ts'
import type { SavedContext } from '../../src/wire/context-bytes.ts'
import { frameOfPixels } from '../../src/wire/own-frame.ts'
import { modes } from '../../src/session.ts'
import { testFrame } from '../helpers/hash-engine.ts'

const bytes = (maxLength: number) => fc.uint8Array({ maxLength })
const hex = fc.stringMatching(/^[0-9a-f]{64}$/)
/** Text knows no -0. */
const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown)
/** By its seq, which follows from its place. */
const frame = fc.oneof(
  bytes(90).map((image) => (seq: number) => testFrame(seq, image)),
  fc.constant((seq: number) =>
    frameOfPixels(seq, { rgb: new Uint8Array(18).fill(seq % 256), width: 3, height: 2, timestampUs: 0 })
  )
)
const saved: fc.Arbitrary<SavedContext> = fc
  .record({
    origin: fc.record({
      model: fc.string({ minLength: 1, maxLength: 128 }),
      ...{ modelDigest: hex, mode: fc.constantFrom(...modes), cacheSize: fc.integer({ min: 1, max: 32 }) }
    }),
    first: fc.nat(2 ** 40),
    after: fc.nat(3),
    context: fc.record({
      epoch: fc.integer({ min: 0, max: 2 ** 32 - 2 }),
      framesSeen: fc.option(fc.nat()),
      digest: fc.option(hex),
      frames: fc.array(frame, { maxLength: 5 }),
      ...{ seam: fc.option(bytes(50)), latents: fc.option(bytes(50)), notes: json }
    })
  })
  .map(({ origin, first, after, context }) => ({
    origin,
    seq: first + context.frames.length + after,
    context: { ...context, frames: context.frames.map((make, at) => make(first + at)) }
  }))

test('a context is the same again after it was bytes, wherever those lie', async () => {
  await fc.assert(
    fc.asyncProperty(saved, fc.nat(7), async (written, offset) => {
      const packed = await packContext(written)
      const elsewhere = new Uint8Array(packed.byteLength + offset)
      elsewhere.set(packed, offset)
      expect(await unpackContext(elsewhere.subarray(offset))).toEqual(written)
    }),
    { numRuns: 200 }
  )
})

const refuses = async (wrong: Uint8Array, reason: RegExp): Promise<void> => {
  await expect(unpackContext(wrong)).rejects.toMatchObject({
    code: 'CONTEXT_INVALID',
    message: expect.stringMatching(reason)
  })
}

test('one that was cut off, changed or never one is refused by name', async () => {
  await fc.assert(
    fc.asyncProperty(saved, fc.nat(), fc.integer({ min: 1, max: 255 }), async (written, at, change) => {
      const packed = await packContext(written)
      const place = at % packed.byteLength
      await refuses(packed.subarray(0, place), /./)
      const changed = Uint8Array.from(packed)
      changed[place]! ^= change
      await refuses(changed, /./)
    }),
    { numRuns: 200 }
  )
  await fc.assert(
    fc.asyncProperty(bytes(300), (anything) => refuses(anything, /./)),
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

test('one that someone made up is refused where it is wrong', async () => {
  const origin = { model: 'm', modelDigest: 'a'.repeat(64), mode: 'ovda', cacheSize: 8 }
  const head = {
    origin,
    seq: 3,
    epoch: 1,
    framesSeen: 0,
    digest: null,
    notes: null,
    frames: [],
    seam: null,
    latents: null
  }
  expect((await unpackContext(forged(head))).origin).toEqual(origin)
  await refuses(forged('no json'), /no JSON/)
  await refuses(forged({ ...head, epoch: -1 }), /epoch/)
  await refuses(forged({ ...head, origin: { ...origin, mode: 'mine' } }), /origin/)
  await refuses(forged({ ...head, latents: 5 }), /announces 5 bytes and 0 follow/)
  await refuses(forged({ ...head, frames: [2 ** 33] }), /frames/)
  await refuses(forged({ ...head, frames: [70] }, new Uint8Array(70)), /Leadline frame/)
  const frames = [4, 3].map((seq) => testFrame(seq, Uint8Array.of(1)).message)
  const lengths = frames.map(({ byteLength }) => byteLength)
  await refuses(forged({ ...head, frames: lengths.slice(1) }, frames[0]), /the last outcome was of 3/)
  await refuses(forged({ ...head, seq: 9, frames: lengths }, Buffer.concat(frames)), /frame 3 comes after 4/)
  await refuses(forged({ ...head, frames: Array(129).fill(0) }), /frames/)
  await refuses(forged({ ...head, notes: 'x'.repeat(2 ** 22) }), /head has more/)
  await refuses(
    forged(head).map((byte, i) => (i === 4 ? 2 : byte)),
    /version 2 is not 1/
  )
  const tooLong = forged(head)
  new DataView(tooLong.buffer, tooLong.byteOffset).setUint32(8, 2 ** 31, true)
  const end = tooLong.byteLength - 32
  tooLong.set(createHash('sha256').update(tooLong.subarray(0, end)).digest(), end)
  await refuses(tooLong, /head/)
})
