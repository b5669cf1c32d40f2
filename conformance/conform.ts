import type { Target } from './bench.ts'
import { Bench } from './bench.ts'
import type { Check } from './check.ts'
import { Skipped } from './check.ts'
import { always } from './checks/always.ts'
import { contexts } from './checks/contexts.ts'
import { flow } from './checks/flow.ts'
import { frames } from './checks/frames.ts'
import { handshakes } from './checks/handshakes.ts'
import { opening } from './checks/opening.ts'
import { resuming } from './checks/resuming.ts'
import { clauses } from './contract.ts'

export type Outcome = 'passed' | 'failed' | 'skipped'

export interface CheckResult {
  says: string
  outcome: Outcome
  /** What is wrong, or why it was passed over. */
  detail?: string
}

/** What became of a clause: failed where one of its checks has, skipped where none could be tried. */
export interface ClauseResult {
  clause: string
  outcome: Outcome
  checks: CheckResult[]
}

export const checks: readonly Check[] = [
  ...handshakes,
  ...always,
  ...frames,
  ...opening,
  ...flow,
  ...contexts,
  ...resuming
]

export interface Wishes {
  /** Names of clauses; empty: all that have checks. */
  only: readonly string[]
  /** Also what waits for the server's own limits. */
  isSlow: boolean
}

/** Try the clauses on a server, in the order of the page, one after the other. */
export async function* conform(target: Target, { only, isSlow }: Wishes): AsyncGenerator<ClauseResult> {
  for (const clause of clauses) {
    const wanted = checks.filter((check) => check.clause === clause)
    if (wanted.length === 0 || (only.length > 0 && !only.includes(clause))) continue
    const results: CheckResult[] = []
    for (const check of wanted) results.push(await resultOf(check, target, isSlow))
    yield { clause, outcome: outcomeOf(results), checks: results }
  }
}

async function resultOf(check: Check, target: Target, isSlow: boolean): Promise<CheckResult> {
  const { says } = check
  if (check.isSlow === true && !isSlow)
    return { says, outcome: 'skipped', detail: 'it waits for a limit of the server; --slow tries it' }
  const bench = new Bench(target)
  try {
    await check.try(bench)
    return { says, outcome: 'passed' }
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    return { says, outcome: error instanceof Skipped ? 'skipped' : 'failed', detail }
  } finally {
    bench.end()
  }
}

function outcomeOf(results: readonly CheckResult[]): Outcome {
  if (results.some(({ outcome }) => outcome === 'failed')) return 'failed'
  return results.every(({ outcome }) => outcome === 'skipped') ? 'skipped' : 'passed'
}
