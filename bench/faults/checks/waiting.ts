import { errorCodes, errorDefinition, isErrorCode } from '../../../src/errors.ts'
import type { Breach, Entry, FaultRecord, RunRecord, SessionRecord, StuckRecord } from '../record.ts'
import { isOutcome } from './outcomes.ts'

/** A machine that does much else may keep a frame for long; one that waits for a client that hangs, does so much longer. */
const longestWaitMs = 12_000
/** Two pings of a gateway: by then it cuts whoever does not answer, be it that a line is half-open. */
const pingsMs = 40_000
/** How long a fault may be felt. */
export const healingMs = 10_000
/** Closes that need no `error`: in order, an endpoint that goes away, too large a message. */
const plainCloses: ReadonlySet<number> = new Set([1000, 1001, 1009])
/** The socket ended without a close: the network or the gateway is gone. */
const brokenCloses: ReadonlySet<number> = new Set([1005, 1006])
const listedCloses: ReadonlySet<number> = new Set(errorCodes.map((code) => errorDefinition(code).close ?? 0))

interface Wait {
  seq: number
  fromMs: number
  /** Infinity: it never came. */
  toMs: number
}

/** I7: one that does not read keeps nobody else waiting. Told where no fault is felt. */
export function checkPatience({ sessions, stuck, faults, endedAtMs }: RunRecord): Breach[] {
  const breaches: Breach[] = []
  for (const session of sessions) {
    for (const { seq, fromMs, toMs } of waitsOf(session)) {
      const untilMs = fromMs + longestWaitMs
      if (toMs <= untilMs || untilMs > endedAtMs) continue
      if (isStuck(stuck, session, { fromMs, toMs: untilMs })) continue
      if (!stuck.some((one) => one.fromMs <= fromMs && one.toMs >= untilMs)) continue
      if (faults.some((fault) => fault.fromMs <= untilMs && fault.toMs + healingMs >= fromMs)) continue
      const what = `waited ${toMs === Infinity ? 'in vain' : `${Math.round(toMs - fromMs)} ms`} while another did not read`
      breaches.push({ invariant: 'I7', session: session.key, seq, what })
    }
  }
  return breaches
}

/** Whether its own client did not read within this time. */
function isStuck(stuck: readonly StuckRecord[], { key }: SessionRecord, time: Span): boolean {
  return stuck.some((one) => one.key === key && one.fromMs <= time.toMs && one.toMs >= time.fromMs)
}

/** Every frame's wait; one that was open when its socket ended is nobody's delay. */
function waitsOf({ entries }: SessionRecord): Wait[] {
  const open = new Map<number, number>()
  const waits: Wait[] = []
  for (const entry of entries) {
    if (entry.type === 'sent') open.set(entry.seq, entry.atMs)
    if (entry.type === 'cut' || entry.type === 'ended') open.clear()
    if (!isOutcome(entry)) continue
    const fromMs = open.get(entry.seq)
    if (fromMs !== undefined) waits.push({ seq: entry.seq, fromMs, toMs: entry.atMs })
    open.delete(entry.seq)
  }
  return [...waits, ...[...open].map(([seq, fromMs]) => ({ seq, fromMs, toMs: Infinity }))]
}

/**
 * I8: within this time after the last fault every session goes on, and whatever was closed was closed with a listed code.
 * A test takes all the time that the run waited: on a machine that does much else how long it takes says more of that.
 */
export function checkHealth(
  { sessions, stuck, faults, healedAtMs, restedAtMs }: RunRecord,
  withinMs = restedAtMs - healedAtMs
): Breach[] {
  const breaches: Breach[] = []
  for (const session of sessions) {
    const isHanging = hangs(session, faults, healedAtMs)
    const soon = { fromMs: healedAtMs, toMs: isHanging ? restedAtMs : healedAtMs + withinMs }
    const breach = (what: string): void =>
      void breaches.push({ invariant: 'I8', session: session.key, seq: null, what })
    if (!goesOn(session, stuck, soon))
      breach(
        `nothing came within ${Math.round((soon.toMs - soon.fromMs) / 1000)} s after the last fault, and it was not closed`
      )
    if (session.entries.at(-1)?.type !== 'ended') breach('its client asked to end it, and it did not end')
    for (const entry of session.entries) {
      // Whoever does not read answers no ping, and is cut.
      const wasStuck = isStuck(stuck, session, { fromMs: entry.atMs - pingsMs, toMs: entry.atMs })
      const reason = wasStuck ? null : unlisted(entry, faults)
      if (reason !== null) breach(reason)
    }
  }
  return breaches
}

/** Whether its line was half-open when all was healed, which its client has noticed since: nothing but pings shows that. */
function hangs({ entries }: SessionRecord, faults: readonly FaultRecord[], healedAtMs: number): boolean {
  const noticed = entries.find(({ atMs, type }) => atMs > healedAtMs && (type === 'cut' || type === 'lost'))
  return faults.some(
    ({ kind, target, toMs }) =>
      kind === 'doorHalfOpen' &&
      toMs + pingsMs >= healedAtMs &&
      (noticed?.type === 'lost' || (noticed?.type === 'cut' && target === `gateway${noticed.gateway}`))
  )
}

interface Span {
  fromMs: number
  toMs: number
}

/** Whether something came of it within this time, if there was anything to come and its client did read. */
export function goesOn(session: SessionRecord, stuck: readonly StuckRecord[], time: Span): boolean {
  return isStuck(stuck, session, time) || isHealthy(session, time)
}

function isHealthy({ entries }: SessionRecord, { fromMs, toMs }: Span): boolean {
  const before = entries.filter(({ atMs }) => atMs <= fromMs)
  const last = before.at(-1)
  if (last === undefined || last.type === 'ended') return true
  // Its client was away, or had nothing to say.
  if (last.type === 'cut' && last.by === 'client') return true
  const soon = entries.filter(({ atMs }) => atMs > fromMs && atMs <= toMs)
  const isOwed = soon.some(({ type }) => type === 'sent') || openOf(before) > 0
  if (!isOwed && last.type !== 'cut' && !soon.some(isCut)) return true
  return soon.some((entry) => isOutcome(entry) || entry.type === 'ended' || isClientsCut(entry))
}

/** Frames that were sent and had no outcome. */
function openOf(entries: readonly Entry[]): number {
  const open = new Set<number>()
  for (const entry of entries) {
    if (entry.type === 'sent') open.add(entry.seq)
    if (isOutcome(entry)) open.delete(entry.seq)
  }
  return open.size
}

function isCut({ type }: Entry): boolean {
  return type === 'cut'
}

function isClientsCut(entry: Entry): boolean {
  return entry.type === 'cut' && entry.by === 'client'
}

function unlisted(entry: Entry, faults: readonly FaultRecord[]): string | null {
  if (entry.type === 'ended' && entry.code === 'INTERNAL') return 'closed with INTERNAL: something unforeseen'
  if (entry.type !== 'cut' || entry.by === 'client') return null
  const { code, reason, atMs, gateway } = entry
  if (plainCloses.has(code)) return null
  if (brokenCloses.has(code)) {
    const isFault = faults.some(
      ({ fromMs, kind, target, toMs }) =>
        target === `gateway${gateway}` &&
        fromMs <= atMs &&
        toMs + healingMs + (kind === 'doorHalfOpen' ? pingsMs : 0) >= atMs
    )
    return isFault ? null : `the socket broke (${code}) although nothing had happened to gateway ${gateway}`
  }
  if (listedCloses.has(code) && isErrorCode(reason)) return null
  return `closed with ${code} ${JSON.stringify(reason)}, which no table lists`
}
