import { expect, test } from 'vitest'
import { checkRun } from '../../../../bench/faults/checks/index.ts'
import { after, expectedDepth, faded, noLine, noPast } from '../../../../bench/faults/picture.ts'
import type { Depth, Line, Past } from '../../../../bench/faults/picture.ts'
import type { Breach, Entry, RunRecord, SessionRecord } from '../../../../bench/faults/record.ts'

export type Part<T> = T extends Entry ? Omit<T, 'atMs'> : never

/** A session as its client would note it, ten milliseconds an entry; where nothing else ends it, its client left it. */
export function session(
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

export function run(parts: Partial<RunRecord>): RunRecord {
  return {
    ...{ seed: 1, sessions: [], faults: [], stuck: [], looks: [], atRest: [], exits: [] },
    ...{ healedAtMs: 95_000, restedAtMs: 98_000, endedAtMs: 100_000 },
    ...{ leftovers: { sessionKeys: [], immortal: [] }, usedFrames: null },
    ...parts
  }
}

export function breachesOf(parts: Partial<RunRecord>, strict = false): Pick<Breach, 'invariant' | 'seq'>[] {
  return checkRun(run(parts), { strict }).map(({ invariant, seq }) => ({ invariant, seq }))
}

export const opened: Part<Entry> = { type: 'opened', epoch: 1 }
export const over: Part<Entry> = { type: 'ended', how: 'failed', code: 'WORKER_LOST' }
export const summary: Part<Entry> = { type: 'ended', how: 'summary', code: '' }
export const sent = (...seqs: number[]): Part<Entry>[] => seqs.map((seq) => ({ type: 'sent', seq }))

export function past(key: string, seqs: readonly number[]): Past {
  return seqs.reduce((before, seq) => after(before, key, seq), noPast)
}

function joined({ lift, stretch }: Depth, { offset, scale }: Line): Depth {
  return { lift: lift * scale + offset, stretch: stretch * scale }
}

/** Depth maps of these frames, which a cache saw after `before` and joined to the last by `line`. */
export function results(
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
