import { LeadlineError } from '../../errors.ts'
import type { ErrorCode } from '../../errors.ts'

/** A session that went down with its worker or the way to it, not by what it was given. */
const interruptions: readonly ErrorCode[] = ['WORKER_LOST', 'DRAINING', 'STORE_UNAVAILABLE']
const shortages: readonly ErrorCode[] = ['NO_WORKER', 'NO_CAPACITY', 'MEMORY_EXHAUSTED']

/** Whether the same session may well succeed elsewhere. */
export function isInterruption(error: unknown): boolean {
  return hasCode(error, interruptions)
}

/** Whether a session may be had after a while that cannot be had now. */
export function isWorthWaiting(error: unknown): error is LeadlineError {
  return hasCode(error, interruptions) || hasCode(error, shortages)
}

function hasCode(error: unknown, codes: readonly ErrorCode[]): boolean {
  return error instanceof LeadlineError && codes.includes(error.code)
}
