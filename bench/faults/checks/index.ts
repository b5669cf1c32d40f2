import type { Breach, RunRecord } from '../record.ts'
import { checkBytes, checkOwners } from './looks.ts'
import { checkOutcomes } from './outcomes.ts'
import { orphans } from './orphans.ts'
import { checkPast } from './past.ts'
import { checkUsage } from './usage.ts'
import { checkHealth, checkPatience } from './waiting.ts'

export interface CheckOptions {
  /** Whether sessions that can be resumed must survive. */
  strict: boolean
  /** How long after the last fault every session must go on; unset: for as long as the run waited for it. */
  healWithinMs?: number | undefined
}

/** Every invariant of a run, in the order of their numbers, and its usage. */
export function checkRun(run: RunRecord, { healWithinMs, strict }: CheckOptions): Breach[] {
  const options = { strict, orphans: orphans(run) }
  const breaches = [
    ...checkOwners(run.looks),
    ...run.sessions.flatMap((session) => [...checkOutcomes(session, options), ...checkPast(session)]),
    ...checkBytes(run.looks, run.atRest),
    ...checkPatience(run),
    ...checkHealth(run, healWithinMs),
    ...checkLeftovers(run, options),
    ...checkUsage(run)
  ]
  return breaches.sort((a, b) => a.invariant.localeCompare(b.invariant))
}

/**
 * I9: afterwards Redis holds no key of a session, and none that lives for ever; and no process ended by itself. The row of a
 * session that was lost with its worker stays for whoever resumes it, until its life ends: a breach only where none may be lost.
 */
function checkLeftovers({ leftovers, exits }: RunRecord, { strict }: CheckOptions): Breach[] {
  const left = leftovers.sessionKeys.filter((key) => strict || !key.includes('(state lost,'))
  return [
    ...left.map((key) => leftover(key, 'is left of a session that is over')),
    ...leftovers.immortal.map((key) => leftover(key, 'has no end of life')),
    ...exits.map((exit) => leftover(exit, 'ended by itself'))
  ]
}

function leftover(session: string, what: string): Breach {
  return { invariant: 'I9', session, seq: null, what }
}
