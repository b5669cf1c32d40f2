import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { decodeMessage, flags } from '../../../src/wire/frame.ts'
import { expectedDepths } from '../../../src/inference/executors/fake/fake-depth.ts'
import { FakeExecutor } from '../../../src/inference/executors/fake/fake.ts'
import type { SessionEvent } from '../../../src/session.ts'
import { BudgetedExecutor } from '../budgeted-executor.ts'
import { fakeEngine, Gate, openSession, resultsOf } from '../fake-engine.ts'
import { frameOf, patches } from '../frames.ts'
import { stitch, windowsOf } from './reference.ts'

const size = { width: 28, height: 28 }
const wide = { width: 42, height: 28 }
const mode = 'vda-window'

function engineFor(options: Parameters<typeof fakeEngine>[0] = {}) {
  const engine = fakeEngine(options)
  onTestFinished(() => engine.closeAll())
  return engine
}

const frame = (seq: number, of = size) => frameOf(seq, 'rgb24', patches(seq, of), of)

/** What the method makes of a clip whose network is the fake one. */
function expectedClip(seqs: readonly number[], of = size): number[][] {
  const frames = seqs.map((seq) => patches(seq, of))
  const windows = windowsOf(frames.length).map((window) =>
    expectedDepths(
      window.map((index) => frames[index]!),
      { mode, ...of }
    )
  )
  return stitch(windows, frames.length)
}

function mapsOf(events: readonly SessionEvent[]): Float32Array[] {
  return events.flatMap((event) =>
    event.type === 'result'
      ? [new Float32Array(new Uint8Array(decodeMessage(event.message).payload).buffer)]
      : []
  )
}

function expectClose(maps: readonly Float32Array[], expected: readonly number[][]): void {
  expect(maps).toHaveLength(expected.length)
  for (const [index, map] of maps.entries()) {
    const worst = map.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[index]![i]!)), 0)
    expect(worst, `frame ${index}`).toBeLessThan(1e-3)
  }
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

test.each([1, 23, 32, 33, 54, 60, 77])('a clip of %i frames has the depth of its windows', async (count) => {
  const session = await openSession(engineFor(), 'a', { delivery: 'lossless' }, mode)
  for (const seq of range(0, count)) session.submit(frame(seq))
  await session.flush()
  expectClose(mapsOf(session.events), expectedClip(range(0, count)))
  const results = resultsOf(session.events)
  expect(results.map(({ seq }) => seq)).toEqual(range(0, count))
  expect(results.map((result) => result.flags)).toEqual(range(0, count).map((seq) => (seq === 0 ? 1 : 0)))
})

test('no more frames than may be in flight are needed to go on', async () => {
  const session = await openSession(engineFor(), 'a', { delivery: 'lossless' }, mode)
  const { maxInFlight, cacheSize } = session.opened
  expect(cacheSize).toBe(32)
  for (const seq of range(0, 100)) {
    session.submit(frame(seq))
    const answered = seq + 1 - maxInFlight
    if (answered >= 0) await session.until((event) => event.type === 'result' && event.seq === answered)
  }
})

test('what comes after a flush is another clip, in an epoch of its own', async () => {
  const session = await openSession(engineFor(), 'a', { delivery: 'lossless' }, mode)
  for (const seq of range(0, 5)) session.submit(frame(seq))
  await session.flush()
  for (const seq of range(5, 9)) session.submit(frame(seq))
  await session.flush()
  await session.flush()
  expectClose(mapsOf(session.events), [...expectedClip(range(0, 5)), ...expectedClip(range(5, 9))])
  const kinds = session.events.map((event) =>
    event.type === 'reset' ? `${event.reason} ${event.seq}` : event.type
  )
  const results = (count: number): string[] => new Array<string>(count).fill('result')
  expect(kinds).toEqual([...results(5), 'flushed', 'client 5', ...results(4), 'flushed', 'flushed'])
  expect(new Set(resultsOf(session.events).map(({ epoch }) => epoch)).size).toBe(2)
})

test('a reset ends the clip, and so does another size', async () => {
  const session = await openSession(engineFor(), 'a', { delivery: 'lossless' }, mode)
  for (const seq of range(0, 3)) session.submit(frame(seq))
  session.reset()
  for (const seq of range(3, 5)) session.submit(frame(seq))
  for (const seq of range(5, 7)) session.submit(frame(seq, wide))
  await session.flush()
  const clips = [expectedClip(range(0, 3)), expectedClip(range(3, 5)), expectedClip(range(5, 7), wide)]
  expectClose(mapsOf(session.events), clips.flat())
  const resets = session.events.filter((event) => event.type === 'reset')
  expect(resets).toMatchObject([
    { reason: 'client', seq: null, epoch: 2 },
    { reason: 'resolution', seq: 5, epoch: 3 }
  ])
})

test('a frame that cannot be decoded fails alone, and the clip goes on without it', async () => {
  const session = await openSession(engineFor(), 'a', { delivery: 'lossless' }, mode)
  session.submit(frame(0))
  session.submit(frameOf(1, 'png', Uint8Array.of(1)))
  session.submit(frame(2))
  await session.flush()
  expect(session.events.map(({ type }) => type)).toEqual(['result', 'error', 'result', 'flushed'])
  expectClose(mapsOf(session.events), expectedClip([0, 2]))
})

const black = new Uint8Array(size.width * size.height * 3)
const blankFlags = (events: readonly SessionEvent[]) =>
  resultsOf(events).flatMap(({ seq, flags: set }) => (set & flags.blank ? [seq] : []))

test.each([1, 32, 50])(
  'a clip that begins with %i black frames has the depth of one that does not',
  async (count) => {
    const session = await openSession(engineFor(), 'a', { delivery: 'lossless' }, mode)
    const { maxInFlight } = session.opened
    for (const seq of range(0, count + 60)) {
      session.submit(seq < count ? frameOf(seq, 'rgb24', black, size) : frame(seq))
      const answered = seq + 1 - maxInFlight
      if (answered >= 0) await session.until((event) => event.type === 'result' && event.seq === answered)
    }
    await session.flush()
    expect(blankFlags(session.events)).toEqual(range(0, count))
    expectClose(mapsOf(session.events).slice(count), expectedClip(range(count, count + 60)))
    const resets = session.events.filter((event) => event.type === 'reset')
    expect(resets).toEqual([{ type: 'reset', seq: count, epoch: 2, reason: 'sceneCut' }])
  }
)

test('for black frames in the midst of a clip, or at its end, the frame before them stands in', async () => {
  const session = await openSession(engineFor(), 'a', { delivery: 'lossless' }, mode)
  const isBlack = (seq: number) => (seq >= 10 && seq < 15) || seq >= 40
  for (const seq of range(0, 45))
    session.submit(isBlack(seq) ? frameOf(seq, 'rgb24', black, size) : frame(seq))
  await session.flush()
  expect(blankFlags(session.events)).toEqual(range(0, 45).filter(isBlack))
  const shown = range(0, 45).map((seq) => (isBlack(seq) ? (seq < 15 ? 9 : 39) : seq))
  expectClose(mapsOf(session.events), expectedClip(shown))
  expect(session.events.filter(({ type }) => type === 'reset')).toEqual([])
})

test('a clip of black frames alone has an outcome for each', async () => {
  const session = await openSession(engineFor(), 'a', { delivery: 'lossless' }, mode)
  for (const seq of range(0, 3)) session.submit(frameOf(seq, 'rgb24', black, size))
  await session.flush()
  expect(blankFlags(session.events)).toEqual([0, 1, 2])
  session.submit(frame(3))
  await session.flush()
  expect(session.events.filter(({ type }) => type === 'reset')).toEqual([
    { type: 'reset', seq: 3, epoch: 2, reason: 'client' }
  ])
})

test('live frames and slices take turns', async () => {
  const log: string[] = []
  class Logging extends FakeExecutor {
    override step(...args: Parameters<FakeExecutor['step']>) {
      log.push('step')
      return super.step(...args)
    }

    override slice(...args: Parameters<FakeExecutor['slice']>) {
      log.push('slice')
      return super.slice(...args)
    }
  }
  const middleOfWindow = new Gate()
  // Frames of network size are decoded, and f32 maps encoded, without leaving this turn: all are ready by the next step.
  const beforeStep = async (): Promise<void> => {
    if (log.length === 40) await middleOfWindow.pass()
    await nextTurn()
  }
  const engine = engineFor({ executor: new Logging({ beforeStep }) })
  const clip = await openSession(engine, 'clip', { delivery: 'lossless' }, mode)
  for (const seq of range(0, 32)) clip.submit(frame(seq))
  await middleOfWindow.arrival()
  const live = await openSession(engine, 'live', { delivery: 'lossless' })
  for (const seq of range(0, 20)) live.submit(frame(seq))
  middleOfWindow.open()
  await live.flush()
  const meanwhile = log.slice(log.indexOf('step'), log.lastIndexOf('step') + 1).join(' ')
  expect(meanwhile).toBe(`${'step slice '.repeat(19)}step`)
  await clip.flush()
  expectClose(mapsOf(clip.events), expectedClip(range(0, 32)))
})

test('closing it in the middle of a window drops its frames and frees its bytes', async () => {
  const gate = new Gate()
  const engine = engineFor({ fake: { beforeStep: gate.pass } })
  const session = await openSession(engine, 'a', { delivery: 'lossless' }, mode)
  for (const seq of range(0, 32)) session.submit(frame(seq))
  await gate.arrival()
  expect(engine.reservedBytes).toBe(session.opened.bytes)
  const closed = session.close()
  gate.open()
  await closed
  expect(engine.reservedBytes).toBe(0)
  expect(session.events).toEqual(range(0, 32).map((seq) => ({ type: 'drop', seq, reason: 'closed' })))
})

test.each([10, 100, 200, 250])(
  'a clip whose executor is lost at slice %i, and again soon after, has the depth of its windows',
  async (slicesBefore) => {
    let slices = 0
    const executor: BudgetedExecutor = new BudgetedExecutor(10_000_000, {
      fake: {
        beforeStep: async () => {
          slices += 1
          if (slices === slicesBefore || slices === slicesBefore + 7) executor.crash()
        }
      }
    })
    const session = await openSession(engineFor({ executor }), 'a', { delivery: 'lossless' }, mode)
    for (const seq of range(0, 60)) session.submit(frame(seq))
    await session.flush()
    expectClose(mapsOf(session.events), expectedClip(range(0, 60)))
    expect(resultsOf(session.events).map(({ seq, epoch }) => [seq, epoch])).toEqual(
      range(0, 60).map((seq) => [seq, 1])
    )
    expect(slices).toBeGreaterThan(slicesBefore + 7)
  }
)

test('a clip for whose frames there was no room fails with the executor', async () => {
  const executor = new BudgetedExecutor(10_000_000)
  const session = await openSession(
    engineFor({ executor, replayBytes: 0 }),
    'a',
    { delivery: 'lossless' },
    mode
  )
  session.submit(frame(0))
  for (let turn = 0; turn < 200; turn++) await nextTurn()
  executor.crash()
  expect(await session.until((event) => event.type === 'error' && event.seq === null)).toMatchObject({
    code: 'EXECUTOR_FAILED'
  })
})
