import { describe, expect, test } from 'vitest'
import { checkRun } from '../../../bench/faults/checks/index.ts'
import { after, expectedDepth, faded, noLine, noPast } from '../../../bench/faults/picture.ts'
import type { Depth, Line, Past } from '../../../bench/faults/picture.ts'
import type { Breach, Entry, Look, RunRecord, SessionRecord } from '../../../bench/faults/record.ts'

type Part<T> = T extends Entry ? Omit<T, 'atMs'> : never

/** A session as its client would note it, ten milliseconds an entry; where nothing else ends it, its client left it. */
function session(
  key: string,
  entries: readonly Part<Entry>[],
  options: Partial<SessionRecord> = {}
): SessionRecord {
  return {
    ...{ key, id: `s_${key}`, delivery: 'lossless', graceMs: 15_000, isTold: true, hearsEpochs: true },
    entries: ended(entries).map((entry, i) => ({ ...entry, atMs: i * 10 }) as Entry),
    ...options
  }
}

function ended(entries: readonly Part<Entry>[]): readonly Part<Entry>[] {
  return entries.at(-1)?.type === 'ended'
    ? entries
    : [...entries, { type: 'ended', how: 'abandoned', code: '' }]
}

function run(parts: Partial<RunRecord>): RunRecord {
  return {
    ...{ seed: 1, sessions: [], faults: [], stuck: [], looks: [], atRest: [], exits: [] },
    ...{ healedAtMs: 95_000, restedAtMs: 98_000, endedAtMs: 100_000 },
    ...{ leftovers: { sessionKeys: [], immortal: [] }, usedFrames: null },
    ...parts
  }
}

function breachesOf(parts: Partial<RunRecord>, strict = false): Pick<Breach, 'invariant' | 'seq'>[] {
  return checkRun(run(parts), { strict }).map(({ invariant, seq }) => ({ invariant, seq }))
}

const opened: Part<Entry> = { type: 'opened', epoch: 1 }
const over: Part<Entry> = { type: 'ended', how: 'failed', code: 'WORKER_LOST' }
const summary: Part<Entry> = { type: 'ended', how: 'summary', code: '' }
const sent = (...seqs: number[]): Part<Entry>[] => seqs.map((seq) => ({ type: 'sent', seq }))

function past(key: string, seqs: readonly number[]): Past {
  return seqs.reduce((before, seq) => after(before, key, seq), noPast)
}

function joined({ lift, stretch }: Depth, { offset, scale }: Line): Depth {
  return { lift: lift * scale + offset, stretch: stretch * scale }
}

/** Depth maps of these frames, which a cache saw after `before` and joined to the last by `line`. */
function results(
  key: string,
  seqs: readonly number[],
  { before = [] as readonly number[], epoch = 1, line = noLine } = {}
): Part<Entry>[] {
  let current = line
  return seqs.map((seq, i) => {
    const depth = joined(expectedDepth(past(key, [...before, ...seqs.slice(0, i + 1)])), current)
    current = faded(current)
    return { type: 'result', seq, epoch, depth }
  })
}

test('a session in which all is as promised has no breach', () => {
  const entries = [opened, ...sent(0, 1, 2), ...results('a', [0, 1, 2]), summary]
  expect(breachesOf({ sessions: [session('a', entries)] }, true)).toEqual([])
})

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

describe('I4 and I5, what a cache has seen', () => {
  const ten = Array.from({ length: 10 }, (_, seq) => seq)
  const told = (entries: Part<Entry>[]): unknown =>
    breachesOf({ sessions: [session('a', [opened, ...sent(...ten, 10, 11), ...entries])] })
  const recovered = (
    continuity: 'exact' | 'rebuilt' | 'new',
    epoch = 2,
    alignment: Line | undefined = noLine
  ): Part<Entry> => ({ ...{ type: 'recovered', seq: 10, epoch }, continuity, alignment })

  test('a frame of another session', () => {
    const foreign = past('b', [7])
    const depth = expectedDepth(after(foreign, 'a', 10))
    expect(told([...results('a', ten), { type: 'result', seq: 10, epoch: 1, depth }])).toEqual([
      { invariant: 'I4', seq: 10 }
    ])
  })

  test('a frame that the cache has not seen, and nothing was said', () => {
    const before = ten.filter((seq) => seq !== 4)
    expect(told([...results('a', ten), ...results('a', [10, 11], { before })])).toEqual([
      { invariant: 'I5', seq: 10 }
    ])
  })

  test('a cache made anew from the last frames that is called exact', () => {
    const rest = results('a', [10, 11], { before: [7, 8, 9] })
    expect(told([...results('a', ten), recovered('exact', 1), ...rest])).toEqual([
      { invariant: 'I5', seq: 10 }
    ])
  })

  test('one that is called rebuilt', () => {
    const rest = results('a', [10, 11], { before: [7, 8, 9], epoch: 2 })
    expect(told([...results('a', ten), recovered('rebuilt'), ...rest])).toEqual([])
  })

  test('one that is joined to what was shown before, at once or one frame later', () => {
    const line = { scale: 1.4, offset: -0.2 }
    for (const first of [line, faded(line)]) {
      const rest = results('a', [10, 11], { before: [7, 8, 9], epoch: 2, line: first })
      expect(told([...results('a', ten), recovered('rebuilt', 2, line), ...rest])).toEqual([])
    }
  })

  test('one that is joined by a line so slight that it could be the one a frame on', () => {
    const line = { scale: 1.0142, offset: 0.0002 }
    for (const first of [line, faded(line)]) {
      const rest = results('a', [10, 11], { before: [7, 8, 9], epoch: 2, line: first })
      expect(told([...results('a', ten), recovered('rebuilt', 2, line), ...rest])).toEqual([])
    }
  })

  test('one that stops being joined', () => {
    const line = { scale: 1.4, offset: -0.2 }
    const one = results('a', [10], { before: [7, 8, 9], epoch: 2, line })
    const rest = results('a', [11], { before: [7, 8, 9, 10], epoch: 2 })
    expect(told([...results('a', ten), recovered('rebuilt', 2, line), ...one, ...rest])).toEqual([
      { invariant: 'I5', seq: 11 }
    ])
  })

  test('a depth map of another picture', () => {
    const foreign: Part<Entry> = { type: 'result', seq: 10, epoch: 1, depth: 'foreign' }
    expect(told([...results('a', ten), foreign])).toEqual([{ invariant: 'I4', seq: 10 }])
  })

  test('one that saw the frames in another order', () => {
    const rest = results('a', [10, 11], { before: [7, 9, 8], epoch: 2 })
    expect(told([...results('a', ten), recovered('rebuilt'), ...rest])).toEqual([
      { invariant: 'I4', seq: 10 }
    ])
  })

  test('one that keeps a past which is said to be forgotten', () => {
    const rest = results('a', [10], { before: ten, epoch: 2 })
    expect(told([...results('a', ten), recovered('new'), ...rest])).toEqual([{ invariant: 'I4', seq: 10 }])
  })

  test('an epoch that begins without a word', () => {
    expect(told([...results('a', ten), ...results('a', [10], { epoch: 2 })])).toEqual([
      { invariant: 'I5', seq: 10 }
    ])
  })

  test('an exact recovery with another epoch', () => {
    expect(told([...results('a', ten), recovered('exact', 2)])).toEqual([{ invariant: 'I5', seq: 10 }])
  })

  test('a frame that was dropped may have been seen or not', () => {
    const dropped: Part<Entry> = { type: 'drop', seq: 10, reason: 'superseded' }
    expect(told([...results('a', ten), dropped, ...results('a', [11], { before: ten })])).toEqual([])
    expect(told([...results('a', ten), dropped, ...results('a', [11], { before: [...ten, 10] })])).toEqual([])
  })

  test('the digest of a resumed session is that of a state which its cache was in', () => {
    const resumed = (digest: Buffer): Part<Entry> => ({
      ...{ type: 'resumed', continuity: 'exact', epoch: 1, after: 10 },
      digest: digest.toString('hex', 0, 16)
    })
    const rest = results('a', [10, 11], { before: ten })
    const more = [...sent(12), ...results('a', [12], { before: [...ten, 10, 11] })]
    const { digest } = past('a', [...ten, 10])
    expect(told([...results('a', ten), resumed(digest), ...rest, ...more])).toEqual([])
    const wrong = past('a', ten.slice(1)).digest
    expect(told([...results('a', ten), resumed(wrong), ...rest, ...more])).toEqual([
      { invariant: 'I5', seq: 12 }
    ])
  })

  test('the digest that a flush tells is that of the depth maps before it', () => {
    const flushed = (digest: Buffer): Part<Entry> => ({
      type: 'flushed',
      digest: { epoch: 1, hex: digest.toString('hex', 0, 16) }
    })
    expect(told([...results('a', ten), flushed(past('a', ten).digest)])).toEqual([])
    expect(told([...results('a', ten), flushed(past('a', [1]).digest)])).toEqual([
      { invariant: 'I5', seq: null }
    ])
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
