import { expect, onTestFinished, test } from 'vitest'
import { expectedDepths } from '../../../src/inference/executors/fake/fake.ts'
import type { Mode, SessionEvent } from '../../../src/session.ts'
import { BudgetedExecutor } from '../budgeted-executor.ts'
import { fakeEngine, fingerprint, Gate, openSession, resultsOf } from '../fake-engine.ts'
import type { TestSession } from '../fake-engine.ts'
import { frameOf, patches } from '../frames.ts'

const size = { width: 56, height: 28 }
const frame = (seq: number, shape = size) => frameOf(seq, 'rgb24', patches(seq, shape), shape)
const seqs = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)
const depthsOf = (shown: number[], mode: Mode = 'ovda') =>
  expectedDepths(
    shown.map((seq) => patches(seq, size)),
    { mode, ...size }
  ).map(fingerprint)
const shownOf = ({ events }: TestSession) => resultsOf(events).map((result) => result.fingerprint)
const recoveredOf = (events: readonly SessionEvent[]) => events.filter((event) => event.type === 'recovered')

function engineFor(options: Parameters<typeof fakeEngine>[0] = {}) {
  const executor = new BudgetedExecutor(10_000_000)
  const engine = fakeEngine({ executor, ...options })
  onTestFinished(() => engine.closeAll())
  return { engine, executor }
}

async function send(session: TestSession, shown: readonly number[]): Promise<void> {
  for (const seq of shown) session.submit(frame(seq))
  await session.flush()
}

test.each(['ovda', 'vda-stream', 'single'] as const)(
  '%s: a parked session holds no device memory, and its next frame finds the cache as it was',
  async (mode) => {
    const { engine, executor } = engineFor()
    const session = await openSession(engine, 'a', { delivery: 'lossless', mode })
    await send(session, seqs(1, 60))
    expect(await session.park()).toBe(session.opened.bytes)
    expect([engine.reservedBytes, engine.parkedCount, executor.usedBytes]).toEqual([0, 1, 0])
    expect(engine.parkedBytes > 0).toBe(mode !== 'single')
    await send(session, seqs(61, 64))
    expect(shownOf(session)).toEqual(depthsOf(seqs(1, 64), mode))
    const told = { type: 'recovered', seq: 61, epoch: 1, continuity: 'exact' }
    expect(recoveredOf(session.events)).toEqual(mode === 'single' ? [] : [told])
    expect([engine.reservedBytes, engine.parkedCount, engine.parkedBytes]).toEqual([
      ...[session.opened.bytes, 0, 0]
    ])
  }
)

test('what the host has no room for is made anew from the frames', async () => {
  const { engine } = engineFor({ parkedBytes: 0 })
  const session = await openSession(engine, 'a', { delivery: 'lossless' })
  await send(session, seqs(1, 20))
  await session.park()
  expect(engine.parkedBytes).toBe(0)
  await send(session, seqs(21, 60))
  expect(shownOf(session)).toEqual(depthsOf(seqs(1, 60)))
  await session.park()
  await send(session, [61])
  expect(recoveredOf(session.events)).toMatchObject([
    { seq: 21, epoch: 1, continuity: 'exact' },
    { seq: 61, epoch: 2, continuity: 'rebuilt' }
  ])
})

test('the host holds no more than it may', async () => {
  const { engine } = engineFor({ parkedBytes: 40_000 })
  for (const id of ['a', 'b', 'c', 'd', 'e']) {
    const session = await openSession(engine, id, { delivery: 'lossless' })
    await send(session, [1, 2])
    await session.park()
    expect(engine.parkedBytes).toBeLessThanOrEqual(40_000)
  }
  expect([engine.parkedCount, engine.reservedBytes]).toEqual([5, 0])
})

test('without room on the device the frame fails, and the session stays parked until there is', async () => {
  const probe = await openSession(engineFor().engine, 'a', { delivery: 'lossless' })
  const { engine } = engineFor({ capacityBytes: probe.opened.bytes })
  const session = await openSession(engine, 'a', { delivery: 'lossless' })
  await send(session, [1, 2])
  await session.park()
  const other = await openSession(engine, 'b', { delivery: 'lossless' })
  await send(session, [3, 4])
  expect(session.events.slice(3)).toMatchObject([
    { type: 'error', seq: 3, code: 'NO_CAPACITY' },
    { type: 'error', seq: 4, code: 'NO_CAPACITY' },
    { type: 'flushed', epoch: 1, seq: 4 }
  ])
  expect(engine.parkedCount).toBe(1)
  await other.close()
  await send(session, [5])
  expect(shownOf(session)).toEqual(depthsOf([1, 2, 5]))
})

test('parked or not: nobody is parked twice, nor with frames waiting, nor when unknown', async () => {
  const gate = new Gate()
  const engine = fakeEngine({ fake: { beforeStep: gate.pass } })
  onTestFinished(() => engine.closeAll())
  const session = await openSession(engine, 'a', { delivery: 'lossless' })
  session.submit(frame(1))
  await gate.arrival()
  const parking = session.park()
  session.submit(frame(2))
  gate.open()
  expect(await parking).toBe(0)
  await session.flush()
  expect(shownOf(session)).toEqual(depthsOf([1, 2]))
  const [once, again] = await Promise.all([session.park(), session.park()])
  expect([once, again, await session.park()]).toEqual(Array(3).fill(session.opened.bytes))
  expect(await engine.park('nobody')).toBe(0)
  const window = await openSession(engine, 'w', { delivery: 'lossless' }, 'vda-window')
  expect(await window.park()).toBe(0)
})

test('a frame that comes while the cache leaves the device finds it all the same', async () => {
  const { engine } = engineFor()
  const session = await openSession(engine, 'a', { delivery: 'lossless' })
  await send(session, seqs(1, 50))
  for (let turns = 0; turns < 12; turns++) {
    const parking = session.park()
    for (let turn = 0; turn < turns; turn++) await Promise.resolve()
    session.submit(frame(51 + turns))
    await parking
    await session.flush()
  }
  expect(shownOf(session)).toEqual(depthsOf(seqs(1, 62)))
  expect(engine.reservedBytes).toBe(session.opened.bytes)
})

test('a reset while parked forgets, another size begins an epoch, and a dead executor takes nothing along', async () => {
  const { engine, executor } = engineFor()
  const session = await openSession(engine, 'a', { delivery: 'lossless' })
  await send(session, seqs(1, 50))
  await session.park()
  executor.crash()
  await send(session, [51])
  expect(shownOf(session)).toEqual(depthsOf(seqs(1, 51)))
  await session.park()
  session.reset()
  await send(session, [52, 53])
  expect(shownOf(session).slice(51)).toEqual(depthsOf([52, 53]))
  await session.park()
  session.submit(frame(54, { width: 28, height: 56 }))
  await session.flush()
  expect(session.events.filter(({ type }) => type === 'reset')).toMatchObject([
    { seq: null, reason: 'client', epoch: 2 },
    { seq: 54, reason: 'resolution', epoch: 3 }
  ])
  expect(recoveredOf(session.events)).toMatchObject([{ seq: 51, continuity: 'exact' }])
})

test('a parked session gives its context, and leaves nothing when it is closed', async () => {
  const { engine } = engineFor()
  const session = await openSession(engine, 'a', { delivery: 'lossless' })
  await send(session, seqs(1, 50))
  await session.park()
  const context = await session.context({ latents: true })
  expect(engine.parkedCount).toBe(1)
  const copy = await openSession(engineFor().engine, 'b', { delivery: 'lossless' }, 'ovda', context)
  await send(copy, [51])
  expect(shownOf(copy)).toEqual(depthsOf(seqs(1, 51)).slice(50))
  await session.close()
  expect([engine.parkedCount, engine.parkedBytes, engine.reservedBytes]).toEqual([0, 0, 0])
})
