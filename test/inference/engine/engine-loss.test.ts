import { expect, onTestFinished, test } from 'vitest'
import type { SessionEvent } from '../../../src/session.ts'
import { expectedDepths } from '../../../src/inference/executors/fake/fake.ts'
import { ProcessExecutor } from '../../../src/inference/executors/process/process.ts'
import { BudgetedExecutor } from '../budgeted-executor.ts'
import { fakeEngine, fingerprint, openSession, resultsOf, silent } from '../fake-engine.ts'
import { frameOf, patches } from '../frames.ts'

const size = { width: 56, height: 28 }
const frame = (seq: number) => frameOf(seq, 'rgb24', patches(seq, size), size)
const seqsTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1)
const depthsOf = (seqs: number[], mode: 'ovda' | 'vda-stream' | 'single' = 'ovda') =>
  expectedDepths(
    seqs.map((seq) => patches(seq, size)),
    { mode, ...size }
  ).map(fingerprint)
/** Of the last of the frames, joined to what was shown before as the event says. */
function alignedDepth(seqs: number[], mode: 'ovda' | 'vda-stream', recovered: SessionEvent | undefined) {
  const depths = expectedDepths(
    seqs.map((seq) => patches(seq, size)),
    { mode, ...size }
  )
  if (recovered?.type !== 'recovered' || !recovered.alignment) throw new Error('it was not aligned')
  const { scale, offset } = recovered.alignment
  return fingerprint(depths.at(-1)!.map((value) => Math.max(0, value * scale + offset)))
}

const fingerprintsOf = (events: readonly SessionEvent[]) =>
  resultsOf(events).map((result) => result.fingerprint)
const recoveriesOf = (events: readonly SessionEvent[]) => events.filter((event) => event.type === 'recovered')

/** An engine whose executor is a process of its own, without a network. */
async function processEngine(stepMs = 0) {
  const executor = await ProcessExecutor.start({ spec: { kind: 'fake', stepMs }, log: silent })
  onTestFinished(() => executor.close())
  const engine = fakeEngine({ executor })
  onTestFinished(() => engine.closeAll())
  return { executor, engine }
}

test.each(['SIGSEGV', 'SIGSTOP'] as const)(
  'a stream whose executor gets %s in the middle of a step loses no frame, and is told',
  async (signal) => {
    const { executor, engine } = await processEngine(200)
    const session = await openSession(engine, 'a', { delivery: 'lossless' })
    for (const seq of [1, 2]) session.submit(frame(seq))
    await session.flush()
    for (const seq of [3, 4, 5]) session.submit(frame(seq))
    process.kill(executor.pid!, signal)
    await session.flush()
    expect(fingerprintsOf(session.events)).toEqual(depthsOf([1, 2, 3, 4, 5]))
    expect(resultsOf(session.events).map(({ seq, epoch }) => [seq, epoch])).toEqual(
      seqsTo(5).map((seq) => [seq, 1])
    )
    expect(recoveriesOf(session.events)).toEqual([
      { type: 'recovered', seq: expect.any(Number), epoch: 1, continuity: 'exact' }
    ])
    const types = session.events.map(({ type }) => type)
    const told = session.events[types.indexOf('recovered')] as { seq: number }
    expect(session.events[types.indexOf('recovered') + 1]).toMatchObject({ type: 'result', seq: told.seq })
  }
)

test('every session survives the death of the executor, whatever its mode and whether it has frames on the way', async () => {
  const { executor, engine } = await processEngine()
  const open = (id: string, mode: 'ovda' | 'vda-stream' | 'single') =>
    openSession(engine, id, { delivery: 'lossless', mode })
  const remembering = await open('remembering', 'ovda')
  const streaming = await open('streaming', 'vda-stream')
  const single = await open('single', 'single')
  const fresh = await open('fresh', 'ovda')
  const sessions = [remembering, streaming, single, fresh]
  for (const session of [remembering, streaming, single]) {
    session.submit(frame(1))
    await session.flush()
  }
  const lost = new Promise((resolve) => executor.onLoss(resolve))
  process.kill(executor.pid!, 'SIGABRT')
  await lost
  for (const session of sessions) {
    session.submit(frame(2))
    await session.flush()
  }
  expect(fingerprintsOf(remembering.events)).toEqual(depthsOf([1, 2]))
  expect(fingerprintsOf(streaming.events)).toEqual(depthsOf([1, 2], 'vda-stream'))
  expect(fingerprintsOf(single.events)).toEqual(depthsOf([1, 2], 'single'))
  expect(fingerprintsOf(fresh.events)).toEqual(depthsOf([2]))
  expect(sessions.map(({ events }) => recoveriesOf(events).length)).toEqual([1, 1, 0, 0])
})

test('a cache that saw more than was kept is made anew from the last frames, in an epoch of its own', async () => {
  const { executor, engine } = await crashing()
  const session = await openSession(engine, 'a', { delivery: 'lossless', cacheSize: 8 })
  // Three windows of seven frames before the current one, and that one.
  const kept = 22
  for (const seq of seqsTo(40)) session.submit(frame(seq))
  await session.flush()
  executor.crash()
  session.submit(frame(41))
  await session.flush()
  const [recovered, ...more] = recoveriesOf(session.events)
  expect(more).toEqual([])
  expect(recovered).toMatchObject({ seq: 41, epoch: 2, continuity: 'rebuilt' })
  const last = resultsOf(session.events).at(-1)
  expect(last).toMatchObject({ seq: 41, epoch: 2, flags: 0 })
  expect(last?.fingerprint).toBe(alignedDepth(seqsTo(41).slice(-kept - 1), 'ovda', recovered))
})

test('what joins a cache made anew to the one before fades away, and ends at once with the epoch', async () => {
  const { executor, engine } = await crashing()
  const sessions = await Promise.all(
    ['a', 'b'].map((id) => openSession(engine, id, { delivery: 'lossless', cacheSize: 8 }))
  )
  const [left, reset] = sessions
  for (const session of sessions) {
    for (const seq of seqsTo(40)) session.submit(frame(seq))
    await session.flush()
  }
  executor.crash()
  for (const seq of [41, 42]) for (const session of sessions) session.submit(frame(seq))
  reset!.reset()
  for (const seq of [43, 44]) reset!.submit(frame(seq))
  for (const seq of seqsTo(140).slice(42)) left!.submit(frame(seq))
  for (const session of sessions) await session.flush()
  // Made anew from frame 19 on.
  const plain = depthsOf(seqsTo(140).slice(18))
  const shown = fingerprintsOf(left!.events)
  expect(shown.length).toBe(140)
  expect(shown[40]).not.toBe(plain[40 - 18])
  expect(shown.slice(-20)).toEqual(plain.slice(-20))
  expect(fingerprintsOf(reset!.events).slice(-2)).toEqual(depthsOf([43, 44]))
})

test('vda-stream is made anew from its first frame and the last ones', async () => {
  const { executor, engine } = await crashing()
  const session = await openSession(engine, 'a', { delivery: 'lossless', mode: 'vda-stream' })
  for (const seq of seqsTo(60)) session.submit(frame(seq))
  await session.flush()
  executor.crash()
  session.submit(frame(61))
  await session.flush()
  const [recovered] = recoveriesOf(session.events)
  expect(recovered).toMatchObject({ seq: 61, continuity: 'rebuilt' })
  const replayed = [1, ...seqsTo(61).slice(-43)]
  expect(fingerprintsOf(session.events).at(-1)).toBe(alignedDepth(replayed, 'vda-stream', recovered))
})

test('a session for whose frames there was no room begins anew, and says so', async () => {
  const { executor, engine } = await crashing({ replayBytes: 0 })
  const session = await openSession(engine, 'a', { delivery: 'lossless' })
  for (const seq of [1, 2]) session.submit(frame(seq))
  await session.flush()
  executor.crash()
  session.submit(frame(3))
  await session.flush()
  expect(recoveriesOf(session.events)).toEqual([{ type: 'recovered', seq: 3, epoch: 2, continuity: 'new' }])
  expect(fingerprintsOf(session.events)).toEqual([...depthsOf([1, 2]), ...depthsOf([3])])
})

test('a reset after a loss leaves nothing to recover', async () => {
  const { executor, engine } = await crashing()
  const session = await openSession(engine, 'a', { delivery: 'lossless' })
  for (const seq of [1, 2]) session.submit(frame(seq))
  await session.flush()
  executor.crash()
  session.reset()
  session.submit(frame(3))
  await session.flush()
  expect(recoveriesOf(session.events)).toEqual([])
  expect(fingerprintsOf(session.events)).toEqual([...depthsOf([1, 2]), ...depthsOf([3])])
})

test('a session that is lost again and again while it is made anew still equals the undisturbed one', async () => {
  const { executor, engine } = await crashing()
  const session = await openSession(engine, 'a', { delivery: 'lossless' })
  for (const seq of seqsTo(6)) {
    session.submit(frame(seq))
    executor.crash()
    await Promise.resolve()
    executor.crash()
    await session.flush()
  }
  expect(fingerprintsOf(session.events)).toEqual(depthsOf(seqsTo(6)))
  expect(recoveriesOf(session.events).every(({ continuity }) => continuity === 'exact')).toBe(true)
})

test('a frame that kills the executor fails its own session, the others in its batch go on', async () => {
  const poison = 66
  const isPoison = (rgb: Uint8Array) => fingerprint(rgb) === fingerprint(patches(poison, size))
  const { engine } = await crashing({}, isPoison)
  const [poisoned, innocent] = await Promise.all(
    ['poisoned', 'innocent'].map((id) => openSession(engine, id, { delivery: 'lossless' }))
  )
  for (const session of [poisoned!, innocent!]) {
    session.submit(frame(1))
    await session.flush()
  }
  for (const seq of [2, poison, 67]) poisoned!.submit(frame(seq))
  for (const seq of [2, 3, 4]) innocent!.submit(frame(seq))
  await poisoned!.until((event) => event.type === 'error' && event.seq === null)
  await innocent!.flush()
  expect(poisoned!.events.flatMap((event) => (event.type === 'error' ? [event] : []))).toMatchObject([
    { seq: poison, code: 'EXECUTOR_FAILED', detail: 'The device was lost' },
    { seq: 67, code: 'EXECUTOR_FAILED' },
    { seq: null, code: 'EXECUTOR_FAILED' }
  ])
  expect(fingerprintsOf(poisoned!.events)).toEqual(depthsOf([1, 2]))
  expect(fingerprintsOf(innocent!.events)).toEqual(depthsOf([1, 2, 3, 4]))
  expect(innocent!.events.some(({ type }) => type === 'error')).toBe(false)
  await poisoned!.close()
  expect(engine.reservedBytes).toBe(innocent!.opened.bytes)
})

/** An engine whose executor can be lost at a word, within this process. */
async function crashing(
  options: Parameters<typeof fakeEngine>[0] = {},
  diesOf?: (frame: Uint8Array) => boolean
) {
  const executor = new BudgetedExecutor(10_000_000, diesOf && { diesOf })
  const engine = fakeEngine({ executor, ...options })
  onTestFinished(() => engine.closeAll())
  return { executor, engine }
}
