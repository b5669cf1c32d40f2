import fc from 'fast-check'
import { expect, test } from 'vitest'
import { noPace } from '../../../../src/metering/engine-pace.ts'
import { noneMoved } from '../../../../src/sessions/session-store.ts'
import type { WorkerRow } from '../../../../src/sessions/session-store.ts'
import { fairTarget } from '../../../../src/sessions/worker/moving/balance.ts'

function worker(
  id: string,
  reservedBytes: number,
  over: { capacityBytes?: number; draining?: boolean } = {}
): WorkerRow {
  const { capacityBytes = 1000, draining = false } = over
  return {
    ...{
      id,
      instance: 'i',
      draining,
      reservedBytes,
      sessions: 1,
      parkableBytes: 0,
      moved: noneMoved,
      pace: noPace
    },
    offer: { models: [], capacityBytes, device: 'none' }
  }
}

const terms = { bytes: 100, threshold: 0.3 }

test.each([
  ['one that is emptier by more than the threshold', [worker('own', 600), worker('a', 200)], 'a'],
  ['the emptiest of several', [worker('own', 900), worker('a', 200), worker('b', 100)], 'b'],
  ['one that has just joined', [worker('own', 400), worker('a', 0)], 'a'],
  [
    'one that is larger, and fuller by bytes',
    [worker('own', 600), worker('a', 700, { capacityBytes: 10_000 })],
    'a'
  ],
  ['nobody where the load is even enough', [worker('own', 500), worker('a', 200)], null],
  ['nobody who leaves', [worker('own', 900), worker('a', 0, { draining: true })], null],
  [
    'nobody who would be fuller afterwards',
    [worker('own', 100), worker('a', 10, { capacityBytes: 100 })],
    null
  ],
  ['nobody where it is alone', [worker('own', 900)], null],
  ['nobody where it is not listed', [worker('a', 0)], null]
])('a session goes to %s', (_, workers, expected) => {
  const threshold = expected === null && workers.length > 1 ? Math.min(terms.threshold, 0.3) : terms.threshold
  expect(fairTarget(workers, 'own', { ...terms, threshold })?.id ?? null).toBe(expected)
})

test('from any load, workers that give sessions in turn come to rest, and no two are then far apart', () => {
  const load = fc.array(fc.integer({ min: 0, max: 10 }), { minLength: 2, maxLength: 6 })
  fc.assert(
    fc.property(load, (sessions) => {
      const counts = [...sessions]
      const rows = () => counts.map((count, i) => worker(`w${i}`, count * 100))
      const step = (): boolean =>
        counts.some((_, i) => {
          const target = fairTarget(rows(), `w${i}`, { bytes: 100, threshold: 0 })
          if (!target) return false
          counts[i]! -= 1
          counts[Number(target.id.slice(1))]! += 1
          return true
        })
      for (let moves = 0; step(); moves++) expect(moves).toBeLessThan(100)
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
    })
  )
})
