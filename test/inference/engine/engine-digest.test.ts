import { expect, onTestFinished, test } from 'vitest'
import sharp from 'sharp'
import type { ValidFrame } from '../../../src/wire/frame.ts'
import { PixelPool } from '../../../src/inference/pixels/pixel-pool.ts'
import type { Mode } from '../../../src/session.ts'
import { chained, emptyDigest, payloadDigest, shortDigest } from '../../../src/wire/state-digest.ts'
import { BudgetedExecutor } from '../budgeted-executor.ts'
import { fakeEngine, openSession } from '../fake-engine.ts'
import type { TestSession } from '../fake-engine.ts'
import { frameOf, patches } from '../frames.ts'

const wide = { width: 56, height: 28 }
const frame = (seq: number, size = wide) => frameOf(seq, 'rgb24', patches(seq, size), size)
const black = (seq: number) => frameOf(seq, 'rgb24', new Uint8Array(wide.width * wide.height * 3), wide)
const framesTo = (last: number) => Array.from({ length: last }, (_, i) => frame(i + 1))

/** As a client computes it, from what it sent. */
function digestOf(frames: readonly ValidFrame[]): string {
  const chain = (digest: string, { header, payload }: ValidFrame) =>
    chained(digest, header.seq, payloadDigest(payload))
  return shortDigest(frames.reduce(chain, emptyDigest))
}

function engineFor(options: Parameters<typeof fakeEngine>[0] = {}) {
  const engine = fakeEngine(options)
  onTestFinished(() => engine.closeAll())
  return engine
}

/** Submits, flushes, and tells what `flushed` said. */
async function positionAfter(session: TestSession, frames: readonly ValidFrame[]) {
  for (const sent of frames) session.submit(sent)
  await session.flush()
  const flushed = session.events.filter((event) => event.type === 'flushed').at(-1)!
  const told = { epoch: flushed.epoch, seq: flushed.seq, digest: flushed.digest }
  expect(session.position()).toEqual(told)
  return told
}

test.each(['ovda', 'vda-stream', 'vda-window'] as const)(
  '%s: flushed says by a digest which frames the cache has seen, those that show nothing left out',
  async (mode: Mode) => {
    const session = await openSession(engineFor(), 'a', { delivery: 'lossless' }, mode)
    expect(await positionAfter(session, [])).toEqual({ epoch: 1, seq: -1, digest: digestOf([]) })
    const sent = [frame(3), frame(4), black(5), frame(9), black(10)]
    const seen = [sent[0]!, sent[1]!, sent[3]!]
    expect(await positionAfter(session, sent)).toEqual({ epoch: 1, seq: 10, digest: digestOf(seen) })
  }
)

test('the cache of mode single sees nothing', async () => {
  const session = await openSession(engineFor(), 'a', { delivery: 'lossless', mode: 'single' })
  expect(await positionAfter(session, framesTo(3))).toEqual({ epoch: 1, seq: 3, digest: digestOf([]) })
})

test('a frame that is dropped or cannot be decoded is not in the digest, and its seq is the last outcome all the same', async () => {
  const session = await openSession(engineFor(), 'a', { delivery: 'lossless' })
  const corrupt = frameOf(3, 'png', Uint8Array.of(1, 2, 3))
  expect(await positionAfter(session, [frame(1), frame(2), corrupt])).toEqual({
    ...{ epoch: 1, seq: 3, digest: digestOf([frame(1), frame(2)]) }
  })
})

test('it begins anew with each epoch, whoever began it', async () => {
  const session = await openSession(engineFor(), 'a', { delivery: 'lossless' })
  await positionAfter(session, framesTo(3))
  session.reset()
  expect(await positionAfter(session, [])).toEqual({ epoch: 2, seq: 3, digest: digestOf([]) })
  expect(await positionAfter(session, [frame(4)])).toMatchObject({ digest: digestOf([frame(4)]) })
  const tall = [frame(5, { width: 28, height: 56 }), frame(6, { width: 28, height: 56 })]
  expect(await positionAfter(session, tall)).toEqual({ epoch: 3, seq: 6, digest: digestOf(tall) })
})

test('the digest of an encoded image is that of its bytes, wherever they are hashed', async () => {
  const pixels = new PixelPool()
  onTestFinished(() => pixels.close())
  const session = await openSession(engineFor({ pixels }), 'a', { delivery: 'lossless' })
  const large = { width: 560, height: 280 }
  const jpeg = await sharp(patches(1, large), { raw: { ...large, channels: 3 } })
    .jpeg()
    .toBuffer()
  const sent = [frameOf(1, 'jpeg', jpeg), frame(2, large)]
  expect(sent[1]!.payload.byteLength).toBeGreaterThan(2 ** 18)
  expect((await positionAfter(session, sent)).digest).toBe(digestOf(sent))
})

test('an exact loss changes nothing; a cache made anew begins with the frames that it was made of', async () => {
  const executor = new BudgetedExecutor(10_000_000)
  const session = await openSession(engineFor({ executor }), 'a', { delivery: 'lossless', cacheSize: 8 })
  const frames = framesTo(40)
  await positionAfter(session, frames.slice(0, 10))
  executor.crash()
  expect(await positionAfter(session, frames.slice(10, 39))).toEqual({
    ...{ epoch: 1, seq: 39, digest: digestOf(frames.slice(0, 39)) }
  })
  executor.crash()
  // Three windows of seven frames before the current one, and that one.
  const seen = frames.slice(39 - 22)
  expect(await positionAfter(session, frames.slice(39))).toEqual({
    ...{ epoch: 2, seq: 40, digest: digestOf(seen) }
  })
})

test('a step that is cut off counts once', async () => {
  const executor = new BudgetedExecutor(10_000_000)
  const session = await openSession(engineFor({ executor }), 'a', { delivery: 'lossless' })
  const frames = framesTo(6)
  for (const sent of frames) {
    session.submit(sent)
    executor.crash()
    await Promise.resolve()
    executor.crash()
    await session.flush()
  }
  expect(await positionAfter(session, [])).toEqual({ epoch: 1, seq: 6, digest: digestOf(frames) })
})
