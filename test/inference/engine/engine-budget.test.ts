import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { randomNumbers } from '../../../bench/random-weights.ts'
import type { Mode } from '../../../src/session.ts'
import { BudgetedExecutor } from '../budgeted-executor.ts'
import { fakeEngine, openSession, type TestSession } from '../fake-engine.ts'
import { frameOf, patches } from '../frames.ts'

const budgetBytes = 600_000
const sizes = [
  { width: 28, height: 28 },
  { width: 56, height: 28 },
  { width: 28, height: 84 }
]
const modes: Mode[] = ['ovda', 'ovda', 'single', 'vda-stream']

/** Sessions that come, send, go are parked and lose their device at random, 2000 things a seed. */
async function churn(
  seed: number
): Promise<{ executor: BudgetedExecutor; refused: number; outOfMemory: unknown[] }> {
  const next = randomNumbers(seed)
  const random = (below: number): number => Math.floor((next() + 0.5) * below)
  const executor = new BudgetedExecutor(budgetBytes)
  const engine = fakeEngine({ executor, capacityBytes: budgetBytes })
  const everyone: TestSession[] = []
  let open: TestSession[] = []
  let refused = 0
  for (let operation = 0; operation < 2000; operation++) {
    const kind = random(100)
    const session = open[random(Math.max(1, open.length))]
    if (kind < 18) {
      try {
        const opened = await openSession(engine, `${seed}/${operation}`, {}, modes[random(modes.length)])
        open.push(opened)
        everyone.push(opened)
      } catch (error) {
        expect(error).toMatchObject({ code: 'NO_CAPACITY' })
        refused += 1
      }
    } else if (kind < 80) {
      const size = sizes[random(sizes.length)]!
      session?.submit(frameOf(operation, 'rgb24', patches(operation % 16, size), size))
    } else if (kind < 93) {
      open = open.filter((one) => one !== session)
      void session?.close()
    } else if (kind < 94) executor.crash()
    else if (kind < 97) void session?.park().catch(() => undefined)
    else await nextTurn()
    expect(engine.reservedBytes).toBeLessThanOrEqual(budgetBytes)
  }
  await engine.closeAll()
  expect([engine.reservedBytes, engine.parkedBytes, engine.parkedCount]).toEqual([0, 0, 0])
  const failures = everyone.flatMap(({ events }) => events.filter((event) => event.type === 'error'))
  return {
    executor,
    refused,
    outOfMemory: failures.filter((event) => JSON.stringify(event).includes('Out of memory'))
  }
}

test.each([1, 2, 3, 4, 5])(
  'the device is never asked for more than it has, and no slot is lost (seed %i)',
  async (seed) => {
    const { executor, refused, outOfMemory } = await churn(seed)
    expect(outOfMemory).toEqual([])
    expect(executor.usedBytes).toBe(0)
    // The budget was really what held it back.
    expect(refused).toBeGreaterThan(50)
    expect(executor.mostBytes).toBeGreaterThan(budgetBytes / 8)
  }
)
