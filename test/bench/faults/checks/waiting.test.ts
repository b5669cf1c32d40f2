import { describe, expect, test } from 'vitest'
import { checkRun } from '../../../../bench/faults/checks/index.ts'
import type { Entry, SessionRecord } from '../../../../bench/faults/record.ts'
import { session, run, breachesOf, opened, over, sent, results } from './runs.ts'
import type { Part } from './runs.ts'

describe('I7 and I8, waiting', () => {
  /** One frame that waits so long, from 1 s on. */
  const waiting = (ms: number): SessionRecord => ({
    ...session('a', [], { isTold: false }),
    entries: [
      { type: 'opened', epoch: 1, atMs: 0 },
      { type: 'sent', seq: 0, atMs: 1000 },
      { type: 'drop', seq: 0, reason: 'reset', atMs: 1000 + ms },
      { type: 'ended', how: 'summary', code: '', atMs: 90_000 }
    ]
  })
  const stuck = [{ key: 'b', fromMs: 0, toMs: 60_000 }]

  test('a session waits while another does not read, and nothing else is the matter', () => {
    expect(breachesOf({ sessions: [waiting(14_000)], stuck })).toEqual([{ invariant: 'I7', seq: 0 }])
    expect(breachesOf({ sessions: [waiting(300)], stuck })).toEqual([])
    expect(breachesOf({ sessions: [waiting(14_000)], stuck: [{ ...stuck[0]!, key: 'a' }] })).toEqual([])
    const faults = [{ kind: 'workerKill' as const, target: 'worker0', fromMs: 2000, toMs: 2500 }]
    expect(breachesOf({ sessions: [waiting(14_000)], stuck, faults })).toEqual([])
  })

  test('a session that is neither served nor closed after the last fault', () => {
    const time = { healedAtMs: 500, restedAtMs: 10_500 }
    expect(breachesOf({ sessions: [waiting(30_000)], ...time })).toEqual([{ invariant: 'I8', seq: null }])
    expect(breachesOf({ sessions: [waiting(2000)], ...time })).toEqual([])
    const sentBefore = { healedAtMs: 1500, restedAtMs: 10_500 }
    expect(breachesOf({ sessions: [waiting(30_000)], ...sentBefore })).toEqual([
      { invariant: 'I8', seq: null }
    ])
  })

  test('a session that is served in the end, and not as soon as is asked', () => {
    const late = run({ sessions: [waiting(20_000)], healedAtMs: 500, restedAtMs: 40_500 })
    const asked = { strict: false, healWithinMs: 10_000 }
    expect(checkRun(late, asked)).toMatchObject([{ invariant: 'I8', seq: null }])
    expect(checkRun(late, { strict: false })).toEqual([])
  })

  test('nothing but pings shows a line that is half-open, and pings take longer', () => {
    const { entries, ...rest } = waiting(28_000)
    const noticed: Entry = { type: 'cut', by: 'server', gateway: 1, code: 1006, reason: '', atMs: 25_000 }
    const cut = { ...rest, entries: [...entries.slice(0, 2), noticed, ...entries.slice(2)] }
    const told = (gateway: number) =>
      checkRun(
        run({
          ...{ sessions: [cut], healedAtMs: 2000, restedAtMs: 40_000 },
          faults: [{ kind: 'doorHalfOpen', target: `gateway${gateway}`, fromMs: 500, toMs: 500 }]
        }),
        { strict: false, healWithinMs: 10_000 }
      ).filter(({ what }) => what.includes('nothing came'))
    expect(told(1)).toEqual([])
    expect(told(0)).toMatchObject([{ invariant: 'I8' }])
  })

  test('a session that does not end although its client wants it', () => {
    const { entries, ...rest } = waiting(100)
    expect(breachesOf({ sessions: [{ ...rest, entries: entries.slice(0, -1) }] })).toEqual([
      { invariant: 'I8', seq: null }
    ])
  })

  test.each([
    ['a code that no table lists', 4999, 'NO_IDEA'],
    ['a listed code with a reason that is none', 4440, 'NO_IDEA'],
    ['no code, while nothing had happened to its gateway', 1006, '']
  ])('a socket that is closed with %s', (_, code, reason) => {
    const entries: Part<Entry>[] = [opened, { type: 'cut', by: 'server', gateway: 0, code, reason }]
    expect(breachesOf({ sessions: [session('a', [...entries, over])] })).toEqual([
      { invariant: 'I8', seq: null }
    ])
  })

  test('a socket that broke with its gateway, or was closed as listed', () => {
    const faults = [{ kind: 'gatewayKill' as const, target: 'gateway0', fromMs: 0, toMs: 5 }]
    const broke: Part<Entry> = { type: 'cut', by: 'server', gateway: 0, code: 1006, reason: '' }
    expect(breachesOf({ sessions: [session('a', [opened, broke, over])], faults })).toEqual([])
    const { entries, ...rest } = session('a', [opened, broke, over])
    const late = entries.map((entry) => ({ ...entry, atMs: entry.atMs + 20_000 }))
    expect(breachesOf({ sessions: [{ ...rest, entries: late }], faults })).toMatchObject([
      { invariant: 'I8' }
    ])
    const halfOpen = [{ ...faults[0]!, kind: 'doorHalfOpen' as const }]
    const halfOpenFor = (ms: number) => {
      const after = entries.map((entry) => ({ ...entry, atMs: entry.atMs + ms }))
      return breachesOf({ sessions: [{ ...rest, entries: after }], faults: halfOpen })
    }
    expect(halfOpenFor(45_000)).toEqual([])
    expect(halfOpenFor(55_000)).toMatchObject([{ invariant: 'I8' }])
    const closed: Part<Entry> = { type: 'cut', by: 'server', gateway: 0, code: 4440, reason: 'WORKER_LOST' }
    expect(breachesOf({ sessions: [session('a', [opened, closed, over])] })).toEqual([])
  })
})

test('I9: what is left of a session, what lives for ever, and a process that ended by itself', () => {
  const leftovers = { sessionKeys: ['{x}:session:s'], immortal: ['{x}:turns'] }
  expect(breachesOf({ leftovers, exits: ['worker0 (nobody had told it to, with 1)'] })).toEqual(
    Array.from({ length: 3 }, () => ({ invariant: 'I9', seq: null }))
  )
})

test('I9: the row of a session lost with its worker may stay only where sessions may be lost', () => {
  const leftovers = { sessionKeys: ['{x}:session:s (state lost, workerId w)'], immortal: [] }
  expect(breachesOf({ leftovers })).toEqual([])
  expect(breachesOf({ leftovers }, true)).toEqual([{ invariant: 'I9', seq: null }])
})

test('usage: frames that count although no client can have had their depth, and depth that does not count', () => {
  const sessions = [session('a', [opened, ...sent(0, 1, 2), ...results('a', [0, 1]), over])]
  const usage = [{ invariant: 'usage', seq: null }]
  expect([1, 2, 3, 4].map((usedFrames) => breachesOf({ sessions, usedFrames }))).toEqual([
    usage,
    [],
    [],
    usage
  ])
  const faults = [{ kind: 'redisEmpty' as const, target: 'redis', fromMs: 0, toMs: 5 }]
  expect(breachesOf({ sessions, usedFrames: 0, faults })).toEqual([])
})
