import { percentile } from '../report.ts'
import type { Figure } from '../report.ts'
import type { Breach, Entry, FaultRecord, RunRecord, SessionRecord } from './record.ts'
import { isOutcome } from './checks/outcomes.ts'
import { given } from './checks/usage.ts'
import type { Given } from './checks/usage.ts'

export interface Tally {
  seed: number
  sessions: number
  faults: Record<string, number>
  frames: { sent: number; results: number; drops: number; errors: number; open: number }
  ends: Record<string, number>
  resumed: Record<string, number>
  recovered: Record<string, number>
  /** Between two depth maps of one session that went on, in milliseconds. */
  stallMs: { p95: number; p99: number; longest: number }
  /** From the last fault until every session went on again, 10 s at least. */
  healedMs: number
  /** Frames that count as used, beside what clients were given; Redis may have forgotten some. */
  usage: Given & { counted: number | null }
  breaches: Record<string, number>
}

/** What a run was, as one line. */
export function tallyOf(record: RunRecord, breaches: readonly Breach[]): Tally {
  const { faults, healedAtMs, restedAtMs, seed, sessions } = record
  const entries = sessions.flatMap((session) => session.entries)
  const of = <T extends Entry['type']>(type: T) =>
    entries.filter((entry): entry is Extract<Entry, { type: T }> => entry.type === type)
  const stalls = sessions.flatMap(stallsOf)
  return {
    seed,
    sessions: sessions.length,
    faults: count(faults.map(({ kind }: FaultRecord) => kind)),
    frames: {
      sent: sessions.reduce((sum, session) => sum + sentOf(session).size, 0),
      results: of('result').length,
      drops: of('drop').length,
      errors: of('error').length,
      open: sessions.reduce((sum, session) => sum + openOf(session), 0)
    },
    ends: count(of('ended').map(({ code, how }) => (how === 'failed' ? code : how))),
    resumed: count(of('resumed').map(({ continuity }) => continuity)),
    recovered: count(of('recovered').map(({ continuity }) => continuity)),
    stallMs: {
      p95: Math.round(percentile(stalls, 0.95)),
      p99: Math.round(percentile(stalls, 0.99)),
      longest: Math.round(stalls.reduce((most, one) => Math.max(most, one), 0))
    },
    usage: { counted: record.usedFrames, ...given(sessions) },
    healedMs: Math.round(restedAtMs - healedAtMs),
    breaches: count(breaches.map(({ invariant }) => invariant))
  }
}

/** The same as rows of a table. */
export function figuresOf(tally: Tally, minutes: number): Pick<Figure, 'name' | 'value' | 'unit'>[] {
  const run = `seed ${tally.seed}, ${minutes} min`
  const row = (name: string, value: number, unit: string) => ({ name: `${run}: ${name}`, value, unit })
  const sum = (...kinds: string[]) => kinds.reduce((total, kind) => total + (tally.faults[kind] ?? 0), 0)
  return [
    row('workers killed', sum('workerKill'), ''),
    row('gateways killed', sum('gatewayKill'), ''),
    row('Redis restarted (empty, saved, stale)', sum('redisEmpty', 'redisSaved', 'redisStale'), ''),
    row(
      'faults of all kinds',
      Object.values(tally.faults).reduce((total, one) => total + one, 0),
      ''
    ),
    row('sessions', tally.sessions, ''),
    row('frames sent', tally.frames.sent, ''),
    row('frames without outcome, their session over', tally.frames.open, ''),
    row(
      'breaches',
      Object.values(tally.breaches).reduce((total, one) => total + one, 0),
      ''
    ),
    row('until every session went on after the last fault, 10 s at least', tally.healedMs, 'ms'),
    row('stall of a session that went on, p95', tally.stallMs.p95, 'ms'),
    row('stall of a session that went on, p99', tally.stallMs.p99, 'ms'),
    row('stall of a session that went on, longest', tally.stallMs.longest, 'ms')
  ]
}

function sentOf({ entries }: SessionRecord): Set<number> {
  return new Set(entries.flatMap((entry) => (entry.type === 'sent' ? [entry.seq] : [])))
}

function openOf(session: SessionRecord): number {
  const open = sentOf(session)
  for (const entry of session.entries) if (isOutcome(entry)) open.delete(entry.seq)
  return open.size
}

/** How long the oldest frame without outcome waited for it; while its client was away nothing counts. */
function stallsOf({ entries }: SessionRecord): number[] {
  const sentAtMs = new Map<number, number>()
  const stalls: number[] = []
  for (const entry of entries) {
    if (entry.type === 'cut' && entry.by === 'client') sentAtMs.clear()
    if (entry.type === 'sent' && !sentAtMs.has(entry.seq)) sentAtMs.set(entry.seq, entry.atMs)
    if (!isOutcome(entry)) continue
    const fromMs = sentAtMs.get(entry.seq)
    if (fromMs !== undefined) stalls.push(entry.atMs - fromMs)
    sentAtMs.delete(entry.seq)
  }
  return stalls
}

function count(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}
