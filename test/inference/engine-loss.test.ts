import { expect, onTestFinished, test } from 'vitest'
import { ProcessExecutor } from '../../src/inference/executors/process.ts'
import { expectedDepths } from '../../src/inference/executors/fake.ts'
import { fingerprint, fakeEngine, openSession, resultsOf, silent } from './fake-engine.ts'
import { frameOf, noise } from './frames.ts'

const size = { width: 56, height: 28 }
const frame = (seq: number) => frameOf(seq, 'rgb24', noise(seq, size), size)
const depthsOf = (seqs: number[], mode: 'ovda' | 'single' = 'ovda') =>
  expectedDepths(
    seqs.map((seq) => noise(seq, size)),
    { mode, ...size }
  ).map(fingerprint)

test('the death of the executor fails the sessions whose memory it held, and no other', async () => {
  const executor = await ProcessExecutor.start({ spec: { kind: 'fake' }, log: silent })
  onTestFinished(() => executor.close())
  const engine = fakeEngine({ executor })
  onTestFinished(() => engine.closeAll())
  const remembering = await openSession(engine, 'remembering', { delivery: 'lossless' })
  const streaming = await openSession(engine, 'streaming', { delivery: 'lossless', mode: 'vda-stream' })
  const single = await openSession(engine, 'single', { delivery: 'lossless', mode: 'single' })
  const fresh = await openSession(engine, 'fresh', { delivery: 'lossless' })
  for (const session of [remembering, streaming, single]) {
    session.submit(frame(1))
    await session.flush()
  }
  process.kill(executor.pid!, 'SIGABRT')
  const failure = await remembering.until((event) => event.type === 'error')
  expect(failure).toMatchObject({
    seq: null,
    code: 'EXECUTOR_FAILED',
    detail: expect.stringContaining('SIGABRT')
  })
  await streaming.until((event) => event.type === 'error')
  for (const session of [single, fresh]) {
    session.submit(frame(2))
    await session.flush()
  }
  expect(resultsOf(single.events).map((result) => result.fingerprint)).toEqual(depthsOf([1, 2], 'single'))
  expect(resultsOf(fresh.events).map((result) => result.fingerprint)).toEqual(depthsOf([2]))
  await remembering.close()
  expect(engine.reservedBytes).toBe(single.opened.bytes + fresh.opened.bytes)
  const successor = await openSession(engine, 'remembering', { delivery: 'lossless' })
  successor.submit(frame(3))
  await successor.flush()
  expect(resultsOf(successor.events).map((result) => result.fingerprint)).toEqual(depthsOf([3]))
})

test('frames in flight when the executor dies are errors, in order, before the session’s own', async () => {
  const executor = await ProcessExecutor.start({ spec: { kind: 'fake', stepMs: 60_000 }, log: silent })
  onTestFinished(() => executor.close())
  const engine = fakeEngine({ executor })
  onTestFinished(() => engine.closeAll())
  const session = await openSession(engine, 'a', { delivery: 'lossless' })
  for (const seq of [1, 2, 3]) session.submit(frame(seq))
  process.kill(executor.pid!, 'SIGKILL')
  await session.until((event) => event.type === 'error' && event.seq === null)
  expect(session.events.map((event) => (event.type === 'error' ? [event.seq, event.code] : event))).toEqual(
    [1, 2, 3, null].map((seq) => [seq, 'EXECUTOR_FAILED'])
  )
  await session.close()
  expect(engine.reservedBytes).toBe(0)
})
