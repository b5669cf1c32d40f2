import type { KeptSession } from '../session-store.ts'

/** What was found wanting at the last look, and at how many looks in a row. */
export type Findings = ReadonlyMap<string, number>

export interface Served {
  readonly token: number
  /** It outlives its gateway. */
  readonly isResumable: boolean
  /** Some gateway hears what is said of it, as far as the worker knows. */
  readonly isHeard: boolean
  /** It was moved here, and its gateway has not come after it. */
  readonly isAwaiting: boolean
}

export interface Look {
  /** Rows of the worker's sessions. */
  kept: readonly KeptSession[]
  /** The sessions that the worker serves, by id. */
  served: ReadonlyMap<string, Served>
  before: Findings
}

export interface Neglect {
  findings: Findings
  /** To be closed: nobody will ever ask for it. */
  closing: KeptSession[]
  /** To be kept for whoever comes back: no gateway hears what is said of it. */
  detaching: KeptSession[]
  /** Served without a row: the store has lost it, or the right to serve them is gone. */
  rowless: string[]
  /** Served under a token that the store has forgotten. */
  behind: string[]
}

/** After a pause of Redis the lease of a gateway that lives may be found run out for as long as it takes to connect again. */
const goneLooks = 5
const rowless = 'rowless '
/** A session that was placed just now may be told to the worker a little later, one that is over leaves its row first. */
const rowlessLooks = 2
/** Longer than any gateway tries to tell a worker of a session. */
const unservedLooks = 10
/** The same of a gateway that has to come after a session. */
const awaitingLooks = 10

/**
 * While the store may lack much, who is not heard of may be about to say that they live. What lacks a row is written anew all the
 * same: others wait for that, and not for longer than the calm.
 */
export function foundInCalm(findings: Findings): Findings {
  return new Map([...findings].filter(([finding]) => finding.startsWith(rowless)))
}

/** Which sessions of a worker are nobody's, after one more look at their rows. */
export function neglected({ kept, served, before }: Look): Neglect {
  const findings = new Map<string, number>()
  const seen = (finding: string): number => {
    const looks = (before.get(finding) ?? 0) + 1
    findings.set(finding, looks)
    return looks
  }
  const judge = ({ id, token, gateway, isMovingIn }: KeptSession): 'close' | 'detach' | null => {
    if (isMovingIn) return null
    if (gateway === 'left' || gateway === 'expired') return 'close'
    const session = served.get(id)
    if (gateway === 'gone') {
      if (seen(`gone ${id}`) < goneLooks) return null
      return session?.isResumable ? 'detach' : 'close'
    }
    if (!session) return seen(`unserved ${id}`) >= unservedLooks ? 'close' : null
    // Its gateway believes that it hears: it has to be told by the row.
    const isDeaf = session.isResumable && !session.isHeard && session.token === token
    if (session.isAwaiting && seen(`awaiting ${id}`) >= awaitingLooks)
      return session.isResumable ? 'detach' : 'close'
    return gateway === 'detached' || isDeaf ? 'detach' : null
  }
  const judged = kept.map((row) => ({ row, verdict: judge(row) }))
  const those = (wanted: 'close' | 'detach') =>
    judged.filter(({ verdict }) => verdict === wanted).map(({ row }) => row)
  const rows = new Set(kept.map(({ id }) => id))
  const lacking = [...served.keys()].filter((id) => !rows.has(id) && seen(`${rowless}${id}`) >= rowlessLooks)
  const behind = kept
    .filter(({ id, token, isMovingIn }) => !isMovingIn && token < (served.get(id)?.token ?? 0))
    .map(({ id }) => id)
  return { findings, closing: those('close'), detaching: those('detach'), rowless: lacking, behind }
}
