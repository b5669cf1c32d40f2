import { expect, onTestFinished, test } from 'vitest'
import { decodeMessage, flags } from '../../../src/wire/frame.ts'
import { fakeManifest } from '../../../src/inference/executors/fake/fake-model.ts'
import { expectedDepths, FakeExecutor } from '../../../src/inference/executors/fake/fake.ts'
import { inferSequence } from '../../../src/inference/evaluation/infer-sequence.ts'
import { sessionPlan } from '../../../src/inference/session-plan.ts'
import type { SessionConfig, SessionEvent } from '../../../src/session.ts'
import { fakeEngine, fingerprint, openSession, resultsOf } from '../fake-engine.ts'
import { frameOf } from '../frames.ts'
import { blobs } from '../pictures.ts'

const size = { width: 56, height: 28 }
const shot = (seed: number) => new Array<Uint8Array>(8).fill(blobs(seed, size))
const film = [...shot(1), ...shot(2), ...shot(3)]

async function play(config: SessionConfig, frames = film): Promise<SessionEvent[]> {
  const engine = fakeEngine()
  onTestFinished(() => engine.closeAll())
  const session = await openSession(engine, 'a', { delivery: 'lossless', ...config })
  for (const [seq, rgb] of frames.entries()) session.submit(frameOf(seq, 'rgb24', rgb, size))
  await session.flush()
  return session.events
}

const headersOf = (events: readonly SessionEvent[]) =>
  events.flatMap((event) => (event.type === 'result' ? [decodeMessage(event.message).header] : []))
const depthsOf = (frames: readonly Uint8Array[]) =>
  expectedDepths(frames, { mode: 'ovda', ...size }).map(fingerprint)

test('after a cut the depth is that of a fresh session, bit for bit, and the cut is told before it', async () => {
  const events = await play({})
  expect(events.filter(({ type }) => type === 'reset')).toEqual([
    { type: 'reset', seq: 8, epoch: 2, reason: 'sceneCut' },
    { type: 'reset', seq: 16, epoch: 3, reason: 'sceneCut' }
  ])
  expect(events.findIndex(({ type }) => type === 'reset')).toBe(8)
  const fingerprints = resultsOf(events).map((result) => result.fingerprint)
  expect(fingerprints).toEqual([1, 2, 3].flatMap((seed) => depthsOf(shot(seed))))
  const first = headersOf(events).flatMap(({ seq, flags: set }) => (set & flags.first ? [seq] : []))
  expect(first).toEqual([0, 8, 16])
})

test('without scene cuts the past is carried on', async () => {
  const events = await play({ sceneCut: false })
  expect(events.filter(({ type }) => type === 'reset')).toEqual([])
  expect(resultsOf(events).map((result) => result.fingerprint)).toEqual(depthsOf(film))
})

test('a reset by the client begins a scene: the frame after it is no cut', async () => {
  const engine = fakeEngine()
  onTestFinished(() => engine.closeAll())
  const session = await openSession(engine, 'a', { delivery: 'lossless' })
  const send = (seq: number) => session.submit(frameOf(seq, 'rgb24', film[seq]!, size))
  for (let seq = 0; seq < 8; seq++) send(seq)
  session.reset()
  for (let seq = 8; seq < 16; seq++) send(seq)
  await session.flush()
  expect(session.events.flatMap((event) => (event.type === 'reset' ? [event.reason] : []))).toEqual([
    'client'
  ])
})

test('a stabilised map lies nearer to the one before than the network left it, and each epoch begins raw', async () => {
  const spread = (maps: readonly Float32Array[]) =>
    Math.max(...maps.map((map) => map[100]!)) - Math.min(...maps.map((map) => map[100]!))
  const raw = valuesOf(await play({}))
  const steady = valuesOf(await play({ stabilize: true }))
  for (const start of [0, 8, 16]) {
    expect(steady[start]).toEqual(raw[start])
    // The fake network lifts and stretches each map by chance; the picture does not change.
    expect(spread(steady.slice(start, start + 8))).toBeLessThan(0.5 * spread(raw.slice(start, start + 8)))
  }
})

function valuesOf(events: readonly SessionEvent[]): Float32Array[] {
  return events.flatMap((event) => {
    if (event.type !== 'result') return []
    return [new Float32Array(new Uint8Array(decodeMessage(event.message).payload).buffer)]
  })
}

test('a steady range rests within an epoch where the ordinary one moves with every map', async () => {
  const config = { stabilize: true } as const
  const movesOf = (events: readonly SessionEvent[]) => {
    const maxima = headersOf(events).map(({ rangeMax }) => rangeMax)
    return maxima.filter((max, i) => i > 0 && max !== maxima[i - 1]).length
  }
  const ordinary = movesOf(await play(config))
  const steady = movesOf(await play({ ...config, steadyRange: true }))
  expect(ordinary).toBeGreaterThan(15)
  expect(steady).toBeLessThan(10)
})

test('wishes that cannot be fulfilled are refused by name', () => {
  const metric = { manifest: { ...fakeManifest, quantity: 'metric-depth' as const }, weightsPath: '' }
  const wishes = { mode: 'ovda', cacheSize: null } as const
  expect(() => sessionPlan(metric, { ...wishes, stabilize: true })).toThrow(/metres.*"stabilize"/)
  const offline = {
    manifest: { ...fakeManifest, temporal: { ...fakeManifest.temporal, modes: ['vda-window' as const] } },
    weightsPath: ''
  }
  expect(() => sessionPlan(offline, { ...wishes, mode: 'vda-window', steadyRange: true })).toThrow(
    /"steadyRange"/
  )
})

test('a sequence outside a session is cut and held steady in the same way', async () => {
  const model = { manifest: fakeManifest, weightsPath: '' }
  const frames = film.map((rgb) => ({ rgb, ...size }))
  const run = async (options: { sceneCut?: boolean; stabilize?: boolean }) => {
    const maps: Float32Array[] = []
    const wishes = { mode: 'ovda', cacheSize: null, ...options } as const
    for await (const { depth } of inferSequence(new FakeExecutor(), model, wishes, frames)) maps.push(depth)
    return maps
  }
  expect(await run({ sceneCut: true })).toEqual(valuesOf(await play({})))
  expect(await run({ sceneCut: true, stabilize: true })).toEqual(valuesOf(await play({ stabilize: true })))
  expect(await run({})).toEqual(valuesOf(await play({ sceneCut: false })))
})
