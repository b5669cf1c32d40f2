import { describe, expect, test } from 'vitest'
import type { Entry, Look } from '../../../../bench/faults/record.ts'
import { session, breachesOf, opened, summary, sent } from './runs.ts'
import type { Part } from './runs.ts'

describe('I2 and I3, outcomes', () => {
  const told = (entries: Part<Entry>[], strict = false): unknown =>
    breachesOf({ sessions: [session('a', entries, { isTold: false })] }, strict)
  const drop = (seq: number): Part<Entry> => ({ type: 'drop', seq, reason: 'closed' })

  test('a second outcome', () => {
    expect(told([opened, ...sent(0), drop(0), drop(0)])).toEqual([{ invariant: 'I2', seq: 0 }])
  })

  test('an outcome of a frame that was never sent', () => {
    expect(told([opened, ...sent(0), drop(1)])).toEqual([{ invariant: 'I2', seq: 1 }])
  })

  test('none, although the session was closed in order', () => {
    expect(told([opened, ...sent(0, 1), drop(0), summary])).toEqual([{ invariant: 'I2', seq: 1 }])
  })

  test('outcomes out of order', () => {
    expect(told([opened, ...sent(0, 1), drop(1), drop(0)])).toEqual([{ invariant: 'I3', seq: 1 }])
  })

  test('a frame that is sent again after a resume has its one outcome', () => {
    const cut: Part<Entry> = { type: 'cut', by: 'client', gateway: 0, code: 1006, reason: '' }
    const resumed: Part<Entry> = { type: 'resumed', continuity: 'exact', epoch: 1, after: 0, digest: null }
    expect(told([opened, ...sent(0, 1), cut, resumed, ...sent(1), drop(0), drop(1), summary], true)).toEqual(
      []
    )
  })

  test.each([
    ['has gone with its worker as well', [], 0, []],
    ['has its worker in an older copy of Redis alone', ['w1'], 2000, []],
    ['still has its worker', ['w1'], 3000, [{ invariant: 'I2', seq: 0 }]]
  ])(
    'a session that Redis forgets while its client is away, and that %s',
    (_what, living, leaseEndMs, breaches) => {
      const cut: Part<Entry> = { type: 'cut', by: 'client', gateway: 0, code: 1006, reason: '' }
      const gone: Part<Entry> = { type: 'ended', how: 'failed', code: 'SESSION_UNKNOWN' }
      const row = { leaseEndMs, capacityBytes: 9, reservedBytes: 1, engine: null }
      const workers = (...ids: string[]) => ids.map((id) => ({ ...row, id, sessionIds: ['s_a'] }))
      const looks: Look[] = [
        { atMs: 5, workers: workers('w1'), sessions: [] },
        { atMs: 40, workers: workers(...living).map((one) => ({ ...one, sessionIds: [] })), sessions: [] }
      ]
      const faults = [{ kind: 'redisFlush' as const, target: 'redis', fromMs: 25, toMs: 25 }]
      const sessions = [session('a', [opened, ...sent(0), cut, gone], { isTold: false })]
      expect(
        breachesOf({ sessions, looks, faults }, true).filter(({ invariant }) => invariant === 'I2')
      ).toEqual(breaches)
    }
  )

  test.each([
    ['was killed before it could say so', 45, 45, []],
    ['had been killed, which its client had not heard', 20, 45, []],
    ['lived', 6000, 6000, [{ invariant: 'I2', seq: 0 }]]
  ])(
    'a session that Redis forgets with its worker, and whose gateway %s',
    (_what, killedMs, cutMs, breaches) => {
      const cut: Part<Entry> = { type: 'cut', by: 'server', gateway: 1, code: 1006, reason: '' }
      const gone: Part<Entry> = { type: 'ended', how: 'failed', code: 'SESSION_UNKNOWN' }
      const { entries, ...rest } = session('a', [opened, ...sent(0), cut, gone], { isTold: false })
      const moved = entries.map((entry, i) => (i < 2 ? entry : { ...entry, atMs: cutMs + i }))
      const faults = [
        { kind: 'redisFlush' as const, target: 'redis', fromMs: 25, toMs: 25 },
        { kind: 'gatewayKill' as const, target: 'gateway1', fromMs: killedMs, toMs: killedMs + 9 }
      ]
      const told = breachesOf({ sessions: [{ ...rest, entries: moved }], faults }, true)
      expect(told.filter(({ invariant }) => invariant === 'I2')).toEqual(breaches)
    }
  )

  test.each([
    ['had waited in vain for a worker to read of it', 0, []],
    ['had just been given to a worker', 10_000, [{ invariant: 'I2', seq: 0 }]],
    ['had outcomes from its worker', null, [{ invariant: 'I2', seq: null }]]
  ])(
    'a session that Redis forgets with its gateway, that a living worker has by its row, and that %s',
    (_what, sentMs, breaches) => {
      const cut: Part<Entry> = { type: 'cut', by: 'server', gateway: 1, code: 1006, reason: '' }
      const gone: Part<Entry> = { type: 'ended', how: 'failed', code: 'SESSION_UNKNOWN' }
      const parts =
        sentMs === null ? [opened, ...sent(0), drop(0), cut, gone] : [opened, ...sent(0), cut, gone]
      const { entries, ...rest } = session('a', parts, { isTold: false })
      const times = sentMs === null ? [0, 1, 2, 15_000, 19_000] : [0, sentMs, 15_000, 19_000]
      const timed = entries.map((entry, i) => ({ ...entry, atMs: times[i]! }))
      const row = { id: 'w1', capacityBytes: 9, reservedBytes: 1, engine: null }
      const looks: Look[] = [
        { atMs: 14_000, workers: [{ ...row, leaseEndMs: 16_000, sessionIds: ['s_a'] }], sessions: [] },
        { atMs: 18_000, workers: [{ ...row, leaseEndMs: 20_000, sessionIds: [] }], sessions: [] }
      ]
      const faults = [{ kind: 'redisFlush' as const, target: 'redis', fromMs: 15_500, toMs: 15_500 }]
      const told = breachesOf({ sessions: [{ ...rest, entries: timed }], looks, faults }, true)
      expect(told.filter(({ invariant }) => invariant === 'I2')).toEqual(breaches)
    }
  )

  const goneAfter = (...entries: Part<Entry>[]): unknown => {
    const cut: Part<Entry> = { type: 'cut', by: 'server', gateway: 0, code: 1001, reason: '' }
    const gone: Part<Entry> = { type: 'ended', how: 'failed', code: 'SESSION_UNKNOWN' }
    return told([opened, ...sent(0), ...entries, cut, gone], true)
  }

  test('a session that its client had closed may be unknown once every frame has its outcome', () => {
    expect(goneAfter({ type: 'closing' }, drop(0))).toEqual([])
    expect(goneAfter({ type: 'closing' })).toEqual([{ invariant: 'I2', seq: 0 }])
    expect(goneAfter(drop(0))).toEqual([{ invariant: 'I2', seq: null }])
  })

  test('one that its client closed and resumed may not', () => {
    const resumed: Part<Entry> = { type: 'resumed', continuity: 'exact', epoch: 1, after: 0, digest: null }
    expect(goneAfter(drop(0), { type: 'closing' }, resumed)).toEqual([{ invariant: 'I2', seq: null }])
  })

  test('a session that can be resumed and is lost all the same, when that is not allowed', () => {
    const lost = [opened, ...sent(0), { type: 'ended', how: 'failed', code: 'WORKER_LOST' } as const]
    expect(told(lost)).toEqual([])
    expect(told(lost, true)).toEqual([{ invariant: 'I2', seq: 0 }])
    const away = { type: 'cut', by: 'server', gateway: 0, code: 4441, reason: 'DRAINING' } as const
    const { entries, ...rest } = session('a', [opened, ...sent(0), away, lost.at(-1)!], { isTold: false })
    const late = entries.map((entry) => (entry.type === 'ended' ? { ...entry, atMs: 20_000 } : entry))
    expect(breachesOf({ sessions: [{ ...rest, entries }] }, true)).toEqual([{ invariant: 'I2', seq: 0 }])
    expect(breachesOf({ sessions: [{ ...rest, entries: late }] }, true)).toEqual([])
    const again: Part<Entry> = { type: 'resumed', continuity: 'new', epoch: 1, after: -1, digest: null }
    const impatient = session('a', [opened, { type: 'lost' }, again, lost.at(-1)!], { isTold: false })
    const lateToo = impatient.entries.map((entry) =>
      entry.type === 'ended' ? { ...entry, atMs: 20_000 } : entry
    )
    expect(breachesOf({ sessions: [{ ...impatient, entries: lateToo }] }, true)).toEqual([])
    const had: Part<Entry>[] = [opened, ...sent(0), { type: 'lost' }, again, drop(0), lost.at(-1)!]
    expect(told(had, true)).toEqual([{ invariant: 'I2', seq: null }])
    const heard: Part<Entry>[] = [
      opened,
      ...sent(0),
      { type: 'lost' },
      { type: 'error', seq: 0, code: 'WORKER_LOST' }
    ]
    const lateErrors = session('a', [...heard, lost.at(-1)!], { isTold: false }).entries.map((entry, i) =>
      i > 2 ? { ...entry, atMs: 20_000 } : entry
    )
    expect(told([...heard, lost.at(-1)!], true)).toEqual([{ invariant: 'I2', seq: null }])
    expect(breachesOf({ sessions: [{ ...impatient, entries: lateErrors }] }, true)).toEqual([])
    const slow = [opened, ...sent(0), { type: 'ended', how: 'failed', code: 'SLOW_CONSUMER' } as const]
    expect(told(slow, true)).toEqual([])
  })
})
