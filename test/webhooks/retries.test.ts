import { readFileSync } from 'node:fs'
import { afterEach, expect, test, vi } from 'vitest'
import type { Delivery } from '../../src/webhooks/delivery.ts'
import { MemoryDeliveryQueue } from '../../src/webhooks/queue/memory-delivery-queue.ts'
import { jittered, retryDelaysMs } from '../../src/webhooks/sending/retries.ts'

afterEach(() => void vi.useRealTimers())

const unit = { s: 1000, min: 60_000, h: 3_600_000 }
const numbers = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten']

/** What docs/webhooks.md promises: how many tries there are, and what is between them. */
function promised(): { tries: number; delaysMs: number[] } {
  const page = readFileSync(new URL('../../docs/webhooks.md', import.meta.url), 'utf8')
  const [, count = '', list = ''] =
    /^(\w+) tries: at once, after ([^,]+(?:, [^,]+)*?), each a fifth/m.exec(page) ?? []
  const delaysMs = list.split(/, | and /).map((one) => {
    const [, amount, of] = /^(\d+) (s|min|h)$/.exec(one) ?? []
    return Number(amount) * unit[of as keyof typeof unit]
  })
  return { tries: numbers.indexOf(count.toLowerCase()), delaysMs }
}

test('there are as many tries, and as much time between them, as the page promises', () => {
  const { tries, delaysMs } = promised()
  expect(tries).toBe(9)
  expect(retryDelaysMs).toEqual(delaysMs)
  expect(retryDelaysMs).toHaveLength(tries - 1)
})

test('each delay is a fifth more or less at most', () => {
  expect([0, 0.5, 1 - 2 ** -53].map((random) => jittered(1000, random))).toEqual([800, 1000, 1200])
})

const delivery: Delivery = {
  ...{ id: 'clip', url: 'https://example.com/hook', owner: null, type: 'clip.done' },
  ...{ timestamp: '2026-11-29T12:00:00.000Z', data: {} }
}

test.each([
  ['early', 0, 0.8],
  ['late', 1 - 2 ** -53, 1.2]
])(
  'a delivery that always fails is tried on this schedule, %s, and then given up',
  async (_, random, factor) => {
    vi.useFakeTimers()
    const queue = new MemoryDeliveryQueue({ delaysMs: retryDelaysMs, random: () => random })
    const triedAtMs: number[] = []
    let given: number | null = null
    queue.serve({
      attempt: async () => {
        triedAtMs.push(Date.now())
        return { kind: 'failed', reason: 'it answered 500', isFinal: false }
      },
      onDead: ({ tries }) => (given = tries)
    })
    await queue.add(delivery, async () => undefined)
    await vi.advanceTimersByTimeAsync(100 * unit.h)
    await queue.close()
    expect(given).toBe(9)
    const betweenMs = triedAtMs.slice(1).map((at, i) => at - triedAtMs[i]!)
    expect(betweenMs).toEqual(retryDelaysMs.map((ms) => Math.round(ms * factor)))
  }
)
