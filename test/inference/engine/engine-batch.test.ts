import { expect, onTestFinished, test } from 'vitest'
import { LeadlineError } from '../../../src/errors.ts'
import type { Engine } from '../../../src/inference/engine/engine.ts'
import type { StepRow } from '../../../src/inference/executor.ts'
import { expectedDepths, FakeExecutor } from '../../../src/inference/executors/fake/fake.ts'
import { fakeEngine, fingerprint, openSession, resultsOf } from '../fake-engine.ts'
import type { TestSession } from '../fake-engine.ts'
import { frameOf, patches } from '../frames.ts'

const size = { width: 56, height: 28 }
const frame = (seq: number) => frameOf(seq, 'rgb24', patches(seq, size), size)
const depthsOf = (seqs: readonly number[]) =>
  expectedDepths(
    seqs.map((seq) => patches(seq, size)),
    { mode: 'ovda', ...size }
  ).map(fingerprint)

/** Notes how many rows its steps had, and has memory for so many. */
class CountingExecutor extends FakeExecutor {
  readonly rows: number[] = []
  readonly #rowsInMemory: number

  constructor(rowsInMemory: number, options: ConstructorParameters<typeof FakeExecutor>[0] = {}) {
    super(options)
    this.#rowsInMemory = rowsInMemory
  }

  override async step(model: number, rows: readonly StepRow[]): ReturnType<FakeExecutor['step']> {
    this.rows.push(rows.length)
    if (rows.length > this.#rowsInMemory)
      throw new LeadlineError('MEMORY_EXHAUSTED', `No memory for ${rows.length} rows`)
    return super.step(model, rows)
  }
}

function engineOn(executor: FakeExecutor): Engine {
  const engine = fakeEngine({ executor })
  onTestFinished(async () => {
    await engine.closeAll()
    await executor.close()
  })
  return engine
}

function openLossless(engine: Engine, names: readonly string[]): Promise<TestSession[]> {
  return Promise.all(names.map((id) => openSession(engine, id, { delivery: 'lossless' })))
}

const steps = [0, 1, 2, 3, 4, 5]

async function streamAll(sessions: readonly TestSession[]): Promise<void> {
  for (const step of steps)
    for (const [i, session] of sessions.entries()) session.submit(frame(i * 100 + step))
  await Promise.all(sessions.map((session) => session.flush()))
}

function expectExact(sessions: readonly TestSession[]): void {
  for (const [i, session] of sessions.entries()) {
    const maps = resultsOf(session.events).map((result) => result.fingerprint)
    expect(maps).toEqual(depthsOf(steps.map((step) => i * 100 + step)))
  }
}

test('a batch that is out of memory is stepped again in smaller ones, and nothing is lost', async () => {
  const executor = new CountingExecutor(2, { maxBatch: 8, stepMs: 5 })
  const engine = engineOn(executor)
  expect(engine.degradation).toBeNull()
  const sessions = await openLossless(engine, ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'])
  await streamAll(sessions)
  expectExact(sessions)
  expect(executor.rows.filter((rows) => rows > 2).length).toBeLessThanOrEqual(2)
  expect(Math.max(...executor.rows)).toBeGreaterThan(2)
  expect(executor.rows.filter((rows) => rows === 2).length).toBeGreaterThan(steps.length)
  expect(engine.degradation).toMatch(/out of memory; at most 2 share one now/)
})

test('a single row that is out of memory fails its session by that name, and no engine goes on halving', async () => {
  const executor = new CountingExecutor(0)
  const engine = engineOn(executor)
  const [session] = await openLossless(engine, ['a'])
  session!.submit(frame(1))
  await session!.until((event) => event.type === 'error' && event.seq === null)
  expect(session!.events.map((event) => (event.type === 'error' ? [event.seq, event.code] : event))).toEqual([
    [1, 'MEMORY_EXHAUSTED'],
    [null, 'MEMORY_EXHAUSTED']
  ])
  expect(executor.rows).toEqual([1])
})

test('steps that are held back for company are started all the same, in order, with every frame', async () => {
  const executor = new CountingExecutor(4, { maxBatch: 4, stepMs: 20 })
  const sessions = await openLossless(engineOn(executor), ['a', 'b', 'c'])
  for (const step of steps) {
    for (const [i, session] of sessions.entries()) {
      session.submit(frame(i * 100 + step))
      await new Promise((resolve) => setTimeout(resolve, 8))
    }
  }
  await Promise.all(sessions.map((session) => session.flush()))
  expectExact(sessions)
  expect(executor.rows.some((rows) => rows === 2)).toBe(true)
})
