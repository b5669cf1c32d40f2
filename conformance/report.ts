import { beyond } from './beyond.ts'
import type { ClauseResult, Outcome } from './conform.ts'

const marks: Record<Outcome, string> = { passed: 'ok  ', failed: 'FAIL', skipped: 'skip' }

export type Counts = Record<Outcome, number>

/** One line for people, about the checks that made a clause what it is. */
export function lineOf({ clause, outcome, checks }: ClauseResult): string {
  const told = checks.filter((check) => check.outcome === outcome)
  const texts = told.map(({ says, detail }) => (detail === undefined ? says : `${says}: ${detail}`))
  return `${marks[outcome]} ${clause.padEnd(4)} ${texts.join('; ').replace(/\s+/g, ' ')}`
}

export function lastLine({ passed, failed, skipped }: Counts): string {
  const names = Object.keys(beyond).join(', ')
  return `${passed} clauses hold, ${failed} do not, ${skipped} skipped; nobody can try ${names} from outside`
}
