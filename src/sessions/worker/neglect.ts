import type { KeptSession } from '../session-store.ts'

/** What was found wanting at the last look, and at how many looks in a row. */
export type Findings = ReadonlyMap<string, number>

export interface Look {
  /** Rows of the worker's sessions. */
  kept: readonly KeptSession[]
  /** Ids of the sessions that the worker serves. */
  served: ReadonlySet<string>
  before: Findings
}

export interface Neglect {
  findings: Findings
  /** To be closed: nobody will ever ask for it. */
  closing: KeptSession[]
  /** Served without a row: the right to serve them is gone. */
  rowless: string[]
}

/** A gateway whose lease could not be renewed for a moment is given the time to do so. */
const goneLooks = 2
/** A session that was placed just now may be told to the worker a little later, one that is over leaves its row first. */
const rowlessLooks = 2
/** Longer than any gateway tries to tell a worker of a session. */
const unservedLooks = 10

/** Which sessions of a worker are nobody's, after one more look at their rows. */
export function neglected({ kept, served, before }: Look): Neglect {
  const findings = new Map<string, number>()
  const seen = (finding: string): number => {
    const looks = (before.get(finding) ?? 0) + 1
    findings.set(finding, looks)
    return looks
  }
  const closing = kept.filter(({ id, gateway, isMovingIn }) => {
    if (isMovingIn) return false
    if (gateway === 'left' || gateway === 'expired') return true
    if (gateway === 'gone') return seen(`gone ${id}`) >= goneLooks
    return !served.has(id) && seen(`unserved ${id}`) >= unservedLooks
  })
  const rows = new Set(kept.map(({ id }) => id))
  const rowless = [...served].filter((id) => !rows.has(id) && seen(`rowless ${id}`) >= rowlessLooks)
  return { findings, closing, rowless }
}
