import { expect, test } from 'vitest'
import { planFaults } from '../../../bench/faults/plan.ts'

const counts = { worker: 3, gateway: 2, redis: 1, link: 5 }

test('a seed draws the same faults every time, and another seed others', () => {
  const plan = planFaults({ seed: 7, minutes: 3, counts })
  expect(planFaults({ seed: 7, minutes: 3, counts })).toEqual(plan)
  expect(planFaults({ seed: 8, minutes: 3, counts })).not.toEqual(plan)
})

test('five runs of three minutes kill 200 workers and 50 gateways and restart Redis 20 times, 10 of them empty', () => {
  const plans = [1, 2, 3, 4, 5].flatMap((seed) => planFaults({ seed, minutes: 3, counts }))
  const number = (...kinds: string[]) => plans.filter(({ kind }) => kinds.includes(kind)).length
  expect(number('workerKill')).toBeGreaterThanOrEqual(200)
  expect(number('gatewayKill')).toBeGreaterThanOrEqual(50)
  expect(number('redisEmpty')).toBeGreaterThanOrEqual(10)
  expect(number('redisEmpty', 'redisSaved', 'redisStale')).toBeGreaterThanOrEqual(20)
})

test('whom a fault hits is there', () => {
  for (const { atMs, index, kind } of planFaults({ seed: 3, minutes: 5, counts })) {
    expect(atMs).toBeLessThan(5 * 60_000)
    const most = /^link/.test(kind) ? 5 : /^(gateway|door)/.test(kind) ? 2 : /^redis/.test(kind) ? 1 : 3
    expect(index).toBeLessThan(most)
  }
})
