import { expect, onTestFinished, test } from 'vitest'
import { Deferred } from '../../../src/deferred.ts'
import type { Plan } from '../../../src/inference/executor.ts'
import { FakeExecutor } from '../../../src/inference/executors/fake/fake.ts'
import { ownPixels } from '../../../src/inference/pixels/pixel-work.ts'
import { fakeEngine, openSession, resultsOf } from '../fake-engine.ts'
import { frameOf, noise } from '../frames.ts'

/** Loads end when they are told to, by the width of their plan. */
class HeldLoads extends FakeExecutor {
  readonly begun: number[] = []
  readonly #ends = new Map<number, Deferred<void>>()

  override async load(plan: Plan): Promise<number> {
    this.begun.push(plan.width)
    await this.#endOf(plan.width).promise
    return super.load(plan)
  }

  end(width: number): void {
    this.#endOf(width).resolve()
  }

  #endOf(width: number): Deferred<void> {
    const end = this.#ends.get(width) ?? new Deferred<void>()
    this.#ends.set(width, end)
    return end
  }
}

/** Sessions that each want the network of one width, asked for or waiting for its turn once `want` resolves. */
function loadingEngine() {
  const executor = new HeldLoads()
  let numPrepared = 0
  const pixels: typeof ownPixels = {
    ...ownPixels,
    of: () => pixels,
    prepare: (...asked) => ownPixels.prepare(...asked).finally(() => numPrepared++)
  }
  const engine = fakeEngine({ executor, pixels })
  const widths: number[] = []
  onTestFinished(async () => {
    const closed = engine.closeAll()
    for (const width of widths) executor.end(width)
    await closed
  })
  const want = async (tenant: string, width: number) => {
    widths.push(width)
    const size = { width, height: 28 }
    const config = { mode: 'single', delivery: 'lossless' } as const
    const session = await openSession(engine, `${tenant} ${width}`, config, 'single', undefined, { tenant })
    session.submit(frameOf(0, 'rgb24', noise(0, size), size))
    await expect.poll(() => numPrepared).toBe(widths.length)
    await settled()
    return session
  }
  return { executor, engine, want }
}

/** What would begin by itself has begun: nothing here waits for more than a few turns of the event loop. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
}

test('a key that brings many sizes has one of them loaded at a time, and another key is loaded for beside it', async () => {
  const { executor, want } = loadingEngine()
  for (const width of [28, 42, 56]) await want('many', width)
  await expect.poll(() => executor.begun).toEqual([28])
  const one = await want('one', 70)
  await expect.poll(() => executor.begun).toEqual([28, 70])
  executor.end(70)
  await one.flush()
  expect(resultsOf(one.events)).toHaveLength(1)
  await settled()
  expect(executor.begun).toEqual([28, 70])
  for (const [ended, next] of [
    [28, 42],
    [42, 56]
  ] as const) {
    executor.end(ended)
    await expect.poll(() => executor.begun.at(-1)).toBe(next)
  }
})

test('two are loaded at once, and of the keys that wait none is passed by one that was loaded for before', async () => {
  const { executor, want } = loadingEngine()
  for (const width of [28, 42, 56]) await want('many', width)
  await want('another', 70)
  await want('one', 84)
  await expect.poll(() => executor.begun).toEqual([28, 70])
  executor.end(28)
  await expect.poll(() => executor.begun).toEqual([28, 70, 84])
  await settled()
  expect(executor.begun).toEqual([28, 70, 84])
})

test('what a session that left was still to have loaded never is', async () => {
  const { executor, want } = loadingEngine()
  await want('many', 28)
  const left = await want('many', 42)
  await want('many', 56)
  await expect.poll(() => executor.begun).toEqual([28])
  await settled()
  await left.close()
  executor.end(28)
  await expect.poll(() => executor.begun).toEqual([28, 56])
})

test('a network that waits behind others of one key is loaded when another wants it, and once for both', async () => {
  const { executor, want } = loadingEngine()
  for (const width of [28, 42]) await want('many', width)
  const behind = await want('many', 56)
  await expect.poll(() => executor.begun).toEqual([28])
  const one = await want('one', 56)
  await expect.poll(() => executor.begun).toEqual([28, 56])
  executor.end(56)
  for (const session of [one, behind]) {
    await session.flush()
    expect(resultsOf(session.events)).toHaveLength(1)
  }
  for (const width of [28, 42]) executor.end(width)
  await expect.poll(() => executor.begun).toEqual([28, 56, 42])
  await settled()
  expect(executor.begun).toEqual([28, 56, 42])
})

test('a load that fails is the failure of all who wait for it, and of nobody else', async () => {
  const { executor, want } = loadingEngine()
  await want('many', 28)
  const behind = await want('many', 56)
  await expect.poll(() => executor.begun).toEqual([28])
  const one = await want('one', 56)
  await expect.poll(() => executor.begun).toEqual([28, 56])
  const other = await want('many', 42)
  await executor.close()
  executor.end(56)
  for (const session of [one, behind])
    await session.until((event) => event.type === 'error' && event.code === 'EXECUTOR_FAILED')
  await settled()
  expect(executor.begun).toEqual([28, 56])
  expect(other.events).toEqual([])
})
