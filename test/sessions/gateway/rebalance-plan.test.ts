import fc from 'fast-check'
import { expect, test } from 'vitest'
import { noPace } from '../../../src/metering/engine-pace.ts'
import { planRebalance } from '../../../src/sessions/gateway/rebalance-plan.ts'
import { noneMoved } from '../../../src/sessions/session-store.ts'
import type { SessionRow, WorkerRow } from '../../../src/sessions/session-store.ts'
import { hashModel, hashTerms } from '../../helpers/hash-engine.ts'

function worker(id: string, sessions: number, over: { draining?: boolean; models?: [] } = {}): WorkerRow {
  const { draining = false, models = [hashModel] } = over
  return {
    ...{ id, instance: 'i', draining, sessions, reservedBytes: sessions * 100, parkableBytes: 0 },
    ...{ moved: noneMoved, pace: noPace, offer: { models, capacityBytes: 1000, device: 'none' } }
  }
}

function sessions(workerId: string, count: number, over: Partial<SessionRow> = {}): SessionRow[] {
  return Array.from({ length: count }, (_, i) => ({
    ...{ id: `${workerId}-${i}`, model: 'hash', modelDigest: hashModel.digest, mode: 'ovda', workerId },
    ...{ workerInstance: 'i', gatewayId: 'g', bytes: 100, deviceBytes: 100, tokenHash: '', owner: null },
    ...{ resumable: true, graceMs: 0, priority: 5, state: 'attached', previousTokenHash: null, token: 1 },
    ...{ epoch: 0, lastSeq: -1, terms: hashTerms, move: null, createdAtMs: i, touchedAtMs: 0 },
    ...{ deadlineMs: null, ...over }
  }))
}

test('the oldest go to the emptiest worker that has their model, for as long as that evens the load out', () => {
  const workers = [
    worker('a', 6),
    worker('b', 2),
    worker('leaving', 0, { draining: true }),
    worker('other', 0, { models: [] })
  ]
  const plan = planRebalance(workers, [...sessions('a', 6), ...sessions('b', 2)])
  const move = { model: 'hash', from: 'a', to: 'b', bytes: 100 }
  expect(plan.moves).toEqual([
    { ...move, session: 'a-0', fromShare: 0.6, toShare: 0.2 },
    { ...move, session: 'a-1', fromShare: 0.5, toShare: 0.3 }
  ])
  expect(plan.workers.map(({ id, sessionsAfter, shareAfter }) => [id, sessionsAfter, shareAfter])).toEqual([
    ['a', 4, 0.4],
    ['b', 4, 0.4],
    ['leaving', 0, 0],
    ['other', 0, 0]
  ])
})

test.each<[string, Partial<SessionRow>]>([
  ['parked', { state: 'parked', deviceBytes: 0 }],
  ['of an offline clip', { mode: 'vda-window' }],
  ['moving already', { state: 'moving' }],
  ['opening', { state: 'opening', terms: null }]
])('a session that is %s stays', (_, over) => {
  expect(planRebalance([worker('a', 6), worker('b', 0)], sessions('a', 6, over)).moves).toEqual([])
})

test('from any load the plan ends, moves no session twice, and leaves no two workers far apart', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(10), { minLength: 1, maxLength: 6 }), (loads) => {
      const workers = loads.map((load, i) => worker(`w${i}`, load))
      const plan = planRebalance(
        workers,
        loads.flatMap((load, i) => sessions(`w${i}`, load))
      )
      const moved = plan.moves.map(({ session }) => session)
      expect(new Set(moved).size).toBe(moved.length)
      const then = plan.workers.map(({ sessionsAfter }) => sessionsAfter)
      expect(Math.max(...then) - Math.min(...then)).toBeLessThanOrEqual(1)
    })
  )
})
