import { describe, expect, test } from 'vitest'
import type { Look } from '../../../../bench/faults/record.ts'
import { breachesOf } from './runs.ts'

describe('I1, one owner', () => {
  const look = (...owners: string[]): Look => ({
    atMs: 0,
    workers: owners.map((id) => ({
      id,
      leaseEndMs: 9,
      capacityBytes: 9,
      reservedBytes: 1,
      sessionIds: ['s'],
      engine: null
    })),
    sessions: [{ id: 's', state: 'attached', bytes: 1, workerId: 'w1' }]
  })

  test('a session that stays on two workers is told', () => {
    const looks = Array.from({ length: 8 }, () => look('w1', 'w2'))
    expect(breachesOf({ looks })).toEqual([{ invariant: 'I1', seq: null }])
  })

  test('one that is moved, or seen twice once, is not', () => {
    const moving = { ...look('w1', 'w2'), sessions: [{ id: 's', state: 'moving', bytes: 1, workerId: 'w1' }] }
    expect(
      breachesOf({
        looks: [...Array.from({ length: 9 }, () => moving), look('w1', 'w2'), look('w2'), look('w1', 'w2')]
      })
    ).toEqual([])
  })
})

describe('I6, bytes', () => {
  const look = (worker: Partial<Look['workers'][number]>): Look => ({
    atMs: 0,
    workers: [
      {
        id: 'w',
        leaseEndMs: 9,
        capacityBytes: 9,
        reservedBytes: 4,
        sessionIds: ['s'],
        engine: { sessions: 1, reservedBytes: 4 },
        ...worker
      }
    ],
    sessions: [{ id: 's', state: 'attached', bytes: 4, workerId: 'w' }]
  })

  test('more reserved than there is', () => {
    expect(breachesOf({ looks: [look({}), look({ reservedBytes: 10 })] })).toEqual([
      { invariant: 'I6', seq: null }
    ])
  })

  test.each([
    ['a row that counts otherwise', { reservedBytes: 5 }],
    ['an engine that has reserved otherwise', { engine: { sessions: 1, reservedBytes: 3 } }],
    ['a session that only an engine has', { engine: { sessions: 2, reservedBytes: 4 } }]
  ])('at rest, %s', (_, worker) => {
    expect(breachesOf({ atRest: [look(worker)] })).toEqual([{ invariant: 'I6', seq: null }])
    expect(breachesOf({ atRest: [look({})] })).toEqual([])
  })
})
