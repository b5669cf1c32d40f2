import { expect, onTestFinished, test, vi } from 'vitest'
import type { Plan } from '../../../src/inference/executor.ts'
import { FakeExecutor } from '../../../src/inference/executors/fake/fake.ts'
import { FairGate, nobody } from '../../../src/inference/fairness/fair-gate.ts'
import { ModelCache } from '../../../src/inference/engine/model-cache.ts'
import type { ModelCacheOptions } from '../../../src/inference/engine/model-cache.ts'
import { noWeights, smallPlan } from '../../contract/plans.ts'
import { Gate, silent } from '../fake-engine.ts'

const plan = (width: number): Plan => ({ ...smallPlan(noWeights), width })

/** Loads pass a gate; models are told apart by their plans' widths. */
class GatedExecutor extends FakeExecutor {
  readonly gate = new Gate()
  readonly loaded: number[] = []
  readonly unloaded: number[] = []
  readonly #widths = new Map<number, number>()

  override async load(wanted: Plan): Promise<number> {
    await this.gate.pass()
    this.loaded.push(wanted.width)
    const model = await super.load(wanted)
    this.#widths.set(model, wanted.width)
    return model
  }

  override async unload(model: number): Promise<void> {
    this.unloaded.push(this.#widths.get(model)!)
    return super.unload(model)
  }
}

function shelfOf(maxIdle: number, idleMs: ModelCacheOptions['idleMs'] = () => 60_000) {
  const executor = new GatedExecutor()
  const loads = new FairGate(2, { maxEach: 1 })
  const shelf = new ModelCache({ executor, maxIdle, idleMs, loads, log: silent })
  onTestFinished(() => shelf.close())
  return { executor, shelf }
}

async function passBy(shelf: ModelCache, widths: readonly number[]): Promise<void> {
  for (const width of widths) (await shelf.acquire(plan(width), nobody)).release()
}

test('models that nobody uses go, the least recently used first, beyond a few', async () => {
  const { executor, shelf } = shelfOf(2)
  executor.gate.open()
  await passBy(shelf, [28, 42, 28, 56])
  expect(executor.unloaded).toEqual([42])
  await passBy(shelf, [28])
  expect(executor.loaded).toEqual([28, 42, 56])
})

test('a model that nobody uses goes after a while, and not if somebody comes before', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const { executor, shelf } = shelfOf(2, () => 1000)
  executor.gate.open()
  await passBy(shelf, [28])
  vi.advanceTimersByTime(999)
  const lease = await shelf.acquire(plan(28), nobody)
  vi.advanceTimersByTime(5000)
  lease.release()
  vi.advanceTimersByTime(999)
  expect(executor.unloaded).toEqual([])
  vi.advanceTimersByTime(1)
  expect(executor.unloaded).toEqual([28])
  await passBy(shelf, [28])
  expect(executor.loaded).toEqual([28, 28])
})

test('of a closed shelf nothing is unloaded any more', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const { executor, shelf } = shelfOf(2, () => 1000)
  executor.gate.open()
  await passBy(shelf, [28])
  shelf.close()
  await passBy(shelf, [28])
  vi.advanceTimersByTime(5000)
  expect(executor.unloaded).toEqual([])
})

test('how long a model stays is told by what its load took', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const { executor, shelf } = shelfOf(2, (loadMs) => 2 * loadMs)
  const wanted = shelf.acquire(plan(28), nobody)
  vi.advanceTimersByTime(3000)
  executor.gate.open()
  ;(await wanted).release()
  vi.advanceTimersByTime(5999)
  expect(executor.unloaded).toEqual([])
  vi.advanceTimersByTime(1)
  expect(executor.unloaded).toEqual([28])
})

test('a model that somebody keeps is loaded again after a loss, and stays however many come and go', async () => {
  const { executor, shelf } = shelfOf(2)
  executor.gate.open()
  await shelf.acquire(plan(14), nobody)
  shelf.loseAll()
  await passBy(shelf, [28, 42, 56, 70])
  expect(executor.loaded.filter((width) => width === 14)).toHaveLength(2)
  expect(executor.unloaded).not.toContain(14)
  shelf.loseAll()
  await passBy(shelf, [28, 42, 56, 70])
  expect(executor.loaded.filter((width) => width === 14)).toHaveLength(3)
  expect(executor.unloaded).not.toContain(14)
})

test('a lease of before a loss gives back the model that was loaded in place of the lost one', async () => {
  const { executor, shelf } = shelfOf(0)
  executor.gate.open()
  const lease = await shelf.acquire(plan(14), nobody)
  shelf.loseAll()
  await passBy(shelf, [28])
  expect(executor.unloaded).toEqual([28])
  lease.release()
  expect(executor.unloaded).toEqual([28, 14])
})

test('a model that nobody wants any more before it is there is unloaded when it is', async () => {
  const { executor, shelf } = shelfOf(0)
  const first = shelf.acquire(plan(14), nobody)
  executor.gate.letOnePass()
  const lease = await first
  shelf.loseAll()
  lease.release()
  expect(executor.unloaded).toEqual([])
  executor.gate.open()
  await expect.poll(() => executor.unloaded).toEqual([14])
})

test('a model that was still loading when the executor was lost is loaded by the next who wants it', async () => {
  const { executor, shelf } = shelfOf(1)
  void shelf.acquire(plan(14), nobody)
  shelf.loseAll()
  const lease = shelf.acquire(plan(14), nobody)
  executor.gate.open()
  expect((await lease).model).toBeGreaterThan(0)
  expect(executor.loaded).toEqual([14, 14])
})

test('a load that fails is tried anew by the next who wants it', async () => {
  const { executor, shelf } = shelfOf(1)
  executor.gate.open()
  await executor.close()
  await expect(shelf.acquire(plan(14), nobody)).rejects.toMatchObject({ code: 'EXECUTOR_FAILED' })
  await expect(shelf.acquire(plan(14), nobody)).rejects.toMatchObject({ code: 'EXECUTOR_FAILED' })
  expect(executor.loaded).toEqual([14, 14])
})
