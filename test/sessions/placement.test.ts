import fc from 'fast-check'
import { expect, test } from 'vitest'
import { place, type PlacementWish } from '../../src/sessions/placement.ts'
import { noPace } from '../../src/metering/engine-pace.ts'
import { noneMoved } from '../../src/sessions/session-store.ts'
import type { WorkerRow } from '../../src/sessions/session-store.ts'
import { hashModel } from '../helpers/hash-engine.ts'

const wish = { model: 'hash', mode: 'ovda' as const, cacheSize: null, except: new Set<string>() }

function worker(id: string, over: Partial<WorkerRow> & { capacityBytes?: number } = {}): WorkerRow {
  const { capacityBytes = 1000, ...rest } = over
  return {
    ...{ id, instance: 'i', draining: false, reservedBytes: 0, sessions: 0, parkableBytes: 0 },
    moved: noneMoved,
    pace: noPace,
    offer: { models: [hashModel], capacityBytes, device: 'none' },
    ...rest
  }
}

const elsewhere = worker('x', { offer: { models: [], capacityBytes: 1000, device: 'none' } })

test.each([
  ['no worker at all', 'noWorker', []],
  ['no worker with the model', 'noWorker', [elsewhere]],
  ['only draining workers', 'noWorker', [worker('a', { draining: true })]],
  ['a worker without room', 'noCapacity', [worker('a', { reservedBytes: 901 })]],
  ['a full one that could park enough', 'placed', [worker('a', { reservedBytes: 950, parkableBytes: 50 })]],
  [
    'a full one that could park too little',
    'noCapacity',
    [worker('a', { reservedBytes: 950, parkableBytes: 49 })]
  ],
  ['a worker with just enough room', 'placed', [worker('a', { reservedBytes: 900 })]],
  ['one full and one free', 'placed', [worker('a', { reservedBytes: 1000 }), worker('b')]]
] as const)('%s gives %s', (_, kind, workers) => {
  expect(place(workers, wish, () => 0).kind).toBe(kind)
})

test('nobody is parked where another worker has room', () => {
  const full = worker('a', { reservedBytes: 1000, parkableBytes: 1000 })
  const free = worker('b', { reservedBytes: 900 })
  expect(place([full, free], wish, () => 0)).toMatchObject({ worker: { id: 'b' }, parks: false })
  expect(place([full], wish, () => 0)).toMatchObject({ worker: { id: 'a' }, parks: true })
})

test('a session takes as much room as its window is of the largest', () => {
  const windowed = {
    ...hashModel,
    temporal: { ...hashModel.temporal, cacheSizes: [4, 8, 16], defaultCacheSize: 8 },
    sessionBytes: { ovda: 400, 'vda-stream': 900 }
  }
  const offer = { models: [windowed], capacityBytes: 1000, device: 'none' }
  const kindWith = (reservedBytes: number, over: Partial<PlacementWish> = {}) =>
    place([worker('a', { offer, reservedBytes })], { ...wish, ...over }, () => 0).kind
  expect(kindWith(800)).toBe('placed')
  expect(kindWith(801)).toBe('noCapacity')
  expect(kindWith(900, { cacheSize: 4 })).toBe('placed')
  expect(kindWith(601, { cacheSize: 16 })).toBe('noCapacity')
  expect(kindWith(101, { mode: 'vda-stream' })).toBe('noCapacity')
})

test('a worker that was tried in vain is left out', () => {
  const placement = place([worker('a'), worker('b')], { ...wish, except: new Set(['a']) }, () => 0)
  expect(placement).toMatchObject({ kind: 'placed', worker: { id: 'b' } })
})

test('of two drawn workers the one with more headroom is taken, though a third has more still', () => {
  const workers = [worker('a', { reservedBytes: 500 }), worker('b', { reservedBytes: 400 }), worker('c')]
  expect(place(workers, wish, () => 0)).toMatchObject({ worker: { id: 'b' } })
})

test('whoever is chosen offers the model, has room, and is not the fullest of those that could be', () => {
  const rows = fc.array(
    fc.record({ reservedBytes: fc.nat(1000), draining: fc.boolean(), offers: fc.boolean() }),
    { minLength: 1, maxLength: 12 }
  )
  fc.assert(
    fc.property(rows, fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })), (specs, numbers) => {
      const workers = specs.map(({ reservedBytes, draining, offers }, i) =>
        worker(`w${i}`, { reservedBytes, draining, ...(offers ? {} : { offer: elsewhere.offer }) })
      )
      const placement = place(workers, wish, () => numbers.next().value ?? 0)
      const able = workers.filter(
        (row) => !row.draining && row.offer.models.length > 0 && row.reservedBytes <= 900
      )
      expect(placement.kind === 'placed').toBe(able.length > 0)
      if (placement.kind !== 'placed') return
      expect(able).toContain(placement.worker)
      const fuller = able.filter((row) => row.reservedBytes >= placement.worker.reservedBytes)
      if (able.length > 1) expect(fuller.length).toBeGreaterThan(1)
    })
  )
})
