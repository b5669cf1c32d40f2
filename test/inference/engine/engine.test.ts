import { expect, onTestFinished, test } from 'vitest'
import { flags } from '../../../src/wire/frame.ts'
import type { Engine } from '../../../src/inference/engine/engine.ts'
import { expectedDepths, FakeExecutor } from '../../../src/inference/executors/fake/fake.ts'
import { fingerprint, Gate, fakeEngine, openSession, resultsOf } from '../fake-engine.ts'
import { frameOf, patches } from '../frames.ts'

const wide = { width: 56, height: 28 }
const tall = { width: 28, height: 56 }

function engineFor(options: Parameters<typeof fakeEngine>[0] = {}): Engine {
  const engine = fakeEngine(options)
  onTestFinished(() => engine.closeAll())
  return engine
}

const frame = (seq: number, size = wide) => frameOf(seq, 'rgb24', patches(seq, size), size)
const corrupt = (seq: number) => frameOf(seq, 'png', Uint8Array.of(1, 2, 3))
const depthsOf = (seqs: number[], size = wide, mode: 'ovda' | 'single' = 'ovda') =>
  expectedDepths(
    seqs.map((seq) => patches(seq, size)),
    { mode, ...size }
  ).map(fingerprint)

test('lossless: every frame becomes depth, in order, each with the memory of those before it', async () => {
  const session = await openSession(engineFor(), 'a', { delivery: 'lossless' })
  const seqs = [10, 11, 13, 20, 21, 22, 30, 31]
  for (const seq of seqs) session.submit(frame(seq))
  await session.flush()
  const results = resultsOf(session.events)
  expect(results.map(({ seq }) => seq)).toEqual(seqs)
  expect(results.map((result) => result.fingerprint)).toEqual(depthsOf(seqs))
  expect(results.map((result) => result.flags)).toEqual([flags.first, 0, 0, 0, 0, 0, 0, 0])
  expect(results.map(({ timestampUs }) => timestampUs)).toEqual(seqs.map((seq) => seq * 1000 + 7))
})

test('single: each frame stands alone', async () => {
  const session = await openSession(engineFor(), 'a', { delivery: 'lossless', mode: 'single' })
  for (const seq of [1, 2, 3]) session.submit(frame(seq))
  await session.flush()
  expect(resultsOf(session.events).map((result) => result.fingerprint)).toEqual(
    depthsOf([1, 2, 3], wide, 'single')
  )
  expect(session.opened.cacheSize).toBe(1)
})

test('latest: while a step runs one frame waits, and newer ones take its place', async () => {
  const gate = new Gate()
  const session = await openSession(engineFor({ fake: { beforeStep: gate.pass } }), 'a')
  session.submit(frame(1))
  await gate.arrival()
  for (const seq of [2, 3, 4, 5]) session.submit(frame(seq))
  gate.open()
  await session.flush()
  const results = resultsOf(session.events)
  const stepped = results.map(({ seq }) => seq)
  const dropped = session.events.flatMap((event) => (event.type === 'drop' ? [event.seq] : []))
  expect(stepped).toContain(5)
  expect(dropped).toContain(4)
  expect([...stepped, ...dropped].sort()).toEqual([1, 2, 3, 4, 5])
  expect(results.map((result) => result.fingerprint)).toEqual(depthsOf(stepped))
  expect(results[1]!.flags).toBe(flags.droppedBefore)
  session.submit(frame(6))
  await session.flush()
  expect(resultsOf(session.events).at(-1)!.flags).toBe(0)
})

test('a frame that cannot be decoded is an error in its place and leaves no trace in the memory', async () => {
  const session = await openSession(engineFor(), 'a', { delivery: 'lossless' })
  for (const sent of [frame(1), corrupt(2), frame(3)]) session.submit(sent)
  await session.flush()
  expect(session.events.map((event) => [event.type, 'seq' in event ? event.seq : null])).toEqual([
    ['result', 1],
    ['error', 2],
    ['result', 3],
    ['flushed', 3]
  ])
  expect(session.events[1]).toMatchObject({ code: 'FRAME_DECODE_FAILED' })
  expect(resultsOf(session.events).map((result) => result.fingerprint)).toEqual(depthsOf([1, 3]))
})

test('a new resolution starts a new epoch, told before its first depth', async () => {
  const session = await openSession(engineFor(), 'a', { delivery: 'lossless' })
  for (const sent of [frame(1), frame(2), frame(3, tall), frame(4, tall), frame(5)]) session.submit(sent)
  await session.flush()
  const { epoch } = session.opened
  expect(session.events.filter((event) => event.type !== 'result')).toEqual([
    { type: 'reset', seq: 3, epoch: epoch + 1, reason: 'resolution' },
    { type: 'reset', seq: 5, epoch: epoch + 2, reason: 'resolution' },
    expect.objectContaining({ type: 'flushed', id: 'flush-1' })
  ])
  expect(session.events.map(({ type }) => type)).toEqual([
    'result',
    'result',
    'reset',
    'result',
    'result',
    'reset',
    'result',
    'flushed'
  ])
  const results = resultsOf(session.events)
  expect(results.map((result) => result.epoch - epoch)).toEqual([0, 0, 1, 1, 2])
  expect(results.map((result) => result.flags)).toEqual([1, 0, 1, 0, 1])
  expect(results.map((result) => result.fingerprint)).toEqual([
    ...depthsOf([1, 2]),
    ...depthsOf([3, 4], tall),
    ...depthsOf([5])
  ])
})

test('a reset by the client starts a new epoch for the frames after it', async () => {
  const session = await openSession(engineFor(), 'a', { delivery: 'lossless' })
  for (const seq of [1, 2]) session.submit(frame(seq))
  session.reset()
  for (const seq of [3, 4]) session.submit(frame(seq))
  await session.flush()
  const { epoch } = session.opened
  expect(session.events[2]).toEqual({ type: 'reset', seq: null, epoch: epoch + 1, reason: 'client' })
  expect(resultsOf(session.events).map((result) => result.epoch - epoch)).toEqual([0, 0, 1, 1])
  expect(resultsOf(session.events).map((result) => result.fingerprint)).toEqual([
    ...depthsOf([1, 2]),
    ...depthsOf([3, 4])
  ])
})

test('a reset and a new resolution together are one new epoch', async () => {
  const session = await openSession(engineFor(), 'a', { delivery: 'lossless' })
  session.submit(frame(1))
  session.reset()
  session.submit(frame(2, tall))
  await session.flush()
  expect(session.events.filter(({ type }) => type === 'reset')).toHaveLength(1)
})

test('closing drops what has no outcome, frees the slot, and may be done twice', async () => {
  const gate = new Gate()
  const engine = engineFor({ fake: { beforeStep: gate.pass } })
  const session = await openSession(engine, 'a', { delivery: 'lossless' })
  for (const seq of [1, 2, 3]) session.submit(frame(seq))
  await gate.arrival()
  const closed = [session.close(), session.close()]
  expect(session.events).toEqual([1, 2, 3].map((seq) => ({ type: 'drop', seq, reason: 'closed' })))
  expect(engine.reservedBytes).toBe(session.opened.bytes)
  gate.open()
  await Promise.all(closed)
  expect(engine.reservedBytes).toBe(0)
  session.submit(frame(4))
  await session.close()
  expect(session.events).toHaveLength(3)
})

test('sessions of one engine do not see each other, batched or not', async () => {
  const engine = engineFor()
  const names = ['a', 'b', 'c', 'd', 'e']
  const sessions = await Promise.all(names.map((id) => openSession(engine, id, { delivery: 'lossless' })))
  for (const step of [0, 1, 2, 3]) {
    for (const [i, session] of sessions.entries()) session.submit(frame(i * 100 + step))
  }
  await Promise.all(sessions.map((session) => session.flush()))
  for (const [i, session] of sessions.entries()) {
    const maps = resultsOf(session.events).map((result) => result.fingerprint)
    expect(maps).toEqual(depthsOf([0, 1, 2, 3].map((step) => i * 100 + step)))
  }
})

test('a session that does not fit is refused with NO_CAPACITY, and fits once another has closed', async () => {
  const engine = engineFor({ capacityBytes: 100_000 })
  const first = await openSession(engine, 'a')
  await expect(openSession(engine, 'b')).rejects.toMatchObject({ code: 'NO_CAPACITY' })
  await first.close()
  await openSession(engine, 'b')
})

test('wishes that the model cannot fulfil are refused with what it can do', async () => {
  const engine = engineFor()
  await expect(openSession(engine, 'a', { cacheSize: 9 })).rejects.toMatchObject({
    code: 'MODEL_MODE_UNSUPPORTED',
    message: expect.stringContaining('8, 16')
  })
  await expect(openSession(engine, 'a', { model: 'other' })).rejects.toMatchObject({
    code: 'MODEL_UNKNOWN',
    message: expect.stringContaining('fake')
  })
  expect(engine.reservedBytes).toBe(0)
})

test('a closing engine closes its sessions and opens none', async () => {
  const engine = engineFor()
  const session = await openSession(engine, 'a')
  await engine.closeAll()
  expect(engine.reservedBytes).toBe(0)
  await expect(openSession(engine, 'b')).rejects.toMatchObject({ code: 'DRAINING' })
  session.submit(frame(1))
  expect(session.events).toEqual([])
})

test('a failed step fails the frames in flight, then its session, and no other', async () => {
  class Breaking extends FakeExecutor {
    broken = false
    override async step(...args: Parameters<FakeExecutor['step']>): ReturnType<FakeExecutor['step']> {
      if (this.broken) throw new RangeError('out of luck')
      return super.step(...args)
    }
  }
  const executor = new Breaking()
  const engine = engineFor({ executor })
  const [session, other] = [
    await openSession(engine, 'a', { delivery: 'lossless' }),
    await openSession(engine, 'b', { delivery: 'lossless' })
  ]
  for (const one of [session, other]) {
    one.submit(frame(1))
    await one.flush()
  }
  executor.broken = true
  session.submit(frame(2))
  session.submit(frame(3))
  await session.until((event) => event.type === 'error' && event.seq === null)
  executor.broken = false
  const failures = session.events.slice(2)
  expect(failures.map((event) => (event.type === 'error' ? [event.seq, event.code] : event))).toEqual([
    [2, 'INTERNAL'],
    [3, 'INTERNAL'],
    [null, 'INTERNAL']
  ])
  other.submit(frame(2))
  await other.flush()
  expect(resultsOf(other.events).map((result) => result.fingerprint)).toEqual(depthsOf([1, 2]))
  await session.close()
  expect(engine.reservedBytes).toBe(other.opened.bytes)
})

test('a depth that is not a number ends the session: its memory is spoilt', async () => {
  class Spoilt extends FakeExecutor {
    override async step(...args: Parameters<FakeExecutor['step']>): ReturnType<FakeExecutor['step']> {
      const results = await super.step(...args)
      results[0]!.depth[3] = NaN
      return results
    }
  }
  const session = await openSession(engineFor({ executor: new Spoilt() }), 'a')
  session.submit(frame(1))
  await session.until((event) => event.type === 'error' && event.seq === null)
  expect(session.events.map((event) => (event.type === 'error' ? [event.seq, event.code] : event))).toEqual([
    [1, 'EXECUTOR_FAILED'],
    [null, 'EXECUTOR_FAILED']
  ])
})

test('models that no session uses any more are unloaded, but for the latest few', async () => {
  const unloaded: number[] = []
  class Counting extends FakeExecutor {
    override async unload(model: number): Promise<void> {
      unloaded.push(model)
      await super.unload(model)
    }
  }
  const session = await openSession(engineFor({ executor: new Counting() }), 'a', { delivery: 'lossless' })
  const sizes = [28, 42, 56, 70, 84].map((width) => ({ width, height: 28 }))
  for (const [seq, size] of sizes.entries()) session.submit(frame(seq, size))
  await session.flush()
  expect(resultsOf(session.events)).toHaveLength(5)
  expect(unloaded).toHaveLength(2)
})

test('the offer states what a session may reserve, and no session reserves more', async () => {
  const engine = engineFor()
  const [model] = engine.offer.models
  const session = await openSession(engine, 'a', { cacheSize: 16 })
  expect(session.opened.bytes).toBe(model!.sessionBytes.ovda)
  const smaller = await openSession(engine, 'b', { cacheSize: 8 })
  expect(smaller.opened.bytes).toBe(model!.sessionBytes.ovda! / 2)
})
