import type { Breach, Entry, SessionRecord } from '../record.ts'

/** Why a session may end although its frames are kept: its client did not do what it owes. */
const clientsOwn: ReadonlySet<string> = new Set(['SLOW_CONSUMER', 'SESSION_IDLE'])

export interface OutcomeOptions {
  /** Whether a session that can be resumed may end by no failure of ours. */
  strict: boolean
  /** Sessions of which nobody can know any more, by the servers' name. */
  orphans: ReadonlySet<string>
}

/** I2: each accepted seq has exactly one outcome. I3: in order. */
export function checkOutcomes(session: SessionRecord, { strict, orphans }: OutcomeOptions): Breach[] {
  const breaches: Breach[] = []
  const breach = (invariant: Breach['invariant'], seq: number | null, what: string): void =>
    void breaches.push({ invariant, session: session.key, seq, what })
  const sent = new Set<number>()
  /** Sent and without outcome, in the order of sending. */
  const open = new Set<number>()
  let away: Away | null = null
  let isClosing = false
  const last = lastWords(session.entries)
  for (const entry of session.entries) {
    if (entry.type === 'sent' && !sent.has(entry.seq)) {
      sent.add(entry.seq)
      open.add(entry.seq)
    }
    if (isOutcome(entry)) {
      if (!last.has(entry)) away = null
      const { seq } = entry
      const [oldest = seq] = open
      if (!sent.has(seq)) breach('I2', seq, `${entry.type} for a frame that was never sent`)
      else if (!open.has(seq)) breach('I2', seq, `${entry.type} as a second outcome`)
      else if (oldest !== seq) breach('I3', seq, `${entry.type} before frame ${oldest} had its outcome`)
      open.delete(seq)
    }
    if (entry.type === 'ended' && entry.how === 'summary' && open.size > 0)
      breach('I2', first(open), `closed in order, and ${open.size} frames had no outcome`)
    if (entry.type === 'resumed' && away?.isPatient) away = null
    if (entry.type === 'cut' || entry.type === 'lost')
      away ??= { sinceMs: entry.atMs, isPatient: entry.type === 'cut' }
    if (entry.type === 'closing' || entry.type === 'resumed') isClosing = entry.type === 'closing'
    const isUnknown = entry.type === 'ended' && entry.code === 'SESSION_UNKNOWN'
    // It was freed as asked, and only its last words were lost.
    const isDone = isUnknown && isClosing && open.size === 0
    const isOrphan = isUnknown && orphans.has(session.id)
    if (strict && !isDone && !isOrphan && isLoss(session, entry, away))
      breach(
        'I2',
        first(open),
        `a session that can be resumed ended with ${entry.code}; ${open.size} frames open`
      )
  }
  return breaches
}

/** By which a client on the SDK hears that its session has failed: an error for each frame, which no server has sent. */
function lastWords(entries: readonly Entry[]): Set<Entry> {
  const end = entries.at(-1)
  if (end?.type !== 'ended' || end.how !== 'failed') return new Set()
  const before = entries.slice(0, -1)
  const first = before.findLastIndex((entry) => entry.type !== 'error' || entry.code !== end.code) + 1
  return new Set(before.slice(first))
}

interface Away {
  sinceMs: number
  /** Whether to be let in again is enough for its client; one on the SDK wants an outcome too, within the same time. */
  isPatient: boolean
}

/** One that was told when to come back gives up by as much earlier. */
const earlierMs = 2500

/** Not where its client could not reach anybody for as long as it is kept. */
function isLoss(
  { graceMs }: SessionRecord,
  entry: Entry,
  away: Away | null
): entry is Extract<Entry, { type: 'ended' }> {
  if (entry.type !== 'ended' || entry.how !== 'failed' || graceMs === 0) return false
  const isLapsed = away !== null && entry.atMs - away.sinceMs > graceMs - earlierMs
  return !isLapsed && !clientsOwn.has(entry.code)
}

export function isOutcome(entry: Entry): entry is Extract<Entry, { type: 'result' | 'drop' | 'error' }> {
  return entry.type === 'result' || entry.type === 'drop' || entry.type === 'error'
}

function first(seqs: ReadonlySet<number>): number | null {
  const [seq = null] = seqs
  return seq
}
