import { largestBatch } from '../batch-sizes.ts'

/** When a session's frames become ready for their step. Plain data. */
export interface Rhythm {
  lastMs: number
  /** Usual time between two frames; null until there were two. */
  intervalMs: number | null
}

/** Share of a new interval in the usual one. */
const newShare = 0.25
/** A longer silence is a pause, and says nothing about the rhythm. */
const pauseMs = 1000

/** The rhythm after one more frame has become ready. */
export function beat(rhythm: Rhythm | null, nowMs: number): Rhythm {
  if (!rhythm) return { lastMs: nowMs, intervalMs: null }
  const passedMs = nowMs - rhythm.lastMs
  if (passedMs > pauseMs) return { lastMs: nowMs, intervalMs: rhythm.intervalMs }
  const { intervalMs } = rhythm
  return {
    lastMs: nowMs,
    intervalMs: intervalMs === null ? passedMs : intervalMs + newShare * (passedMs - intervalMs)
  }
}

/** When the next frame should be ready; null when nothing is known. */
export function nextBeatMs({ lastMs, intervalMs }: Rhythm): number | null {
  return intervalMs === null ? null : lastMs + intervalMs
}

export interface WaitOptions {
  nowMs: number
  /** Rows that could be stepped now. */
  ready: number
  /** When further rows of the same plan should become ready; past moments are frames that are late. */
  expectedMs: readonly number[]
  /** The soonest moment at which a ready row's own next frame should arrive; null when unknown. */
  deadlineMs: number | null
  /** Since when the step has been held back; now, if it has not. */
  heldSinceMs: number
  /** What a step of so many rows, a size of batch, has taken; null where none was measured. */
  stepMs: (rows: number) => number | null
  maxBatch: number
}

/**
 * How long to hold a step back so that more rows join it, in milliseconds; 0 to start at once. A step is held only for
 * rows that fill the next size of batch, and only while
 * - the whole wait stays below the measured step: a row never loses more than one turn by it;
 * - the larger batch, with the wait, beats the two steps that would be run instead;
 * - the ready rows are done before their own next frames arrive.
 */
export function waitForMore(options: WaitOptions): number {
  const { nowMs, ready, expectedMs, deadlineMs, heldSinceMs, stepMs, maxBatch } = options
  if (ready === 0) return 0
  const filled = largestBatch(ready, maxBatch)
  const wanted = 2 * filled
  if (wanted > maxBatch) return 0
  const soon = expectedMs.filter((ms) => ms >= nowMs).sort((a, b) => a - b)
  const completeMs = soon[wanted - ready - 1]
  const smallMs = stepMs(filled)
  if (completeMs === undefined || smallMs === null) return 0
  // A size that was never run is tried: it cannot be worse than one row after the other by much.
  const largeMs = stepMs(wanted) ?? smallMs
  const waitMs = completeMs - nowMs
  const isWithinStep = completeMs - heldSinceMs < smallMs
  const isFaster = waitMs + largeMs < 2 * smallMs
  const isInTime = deadlineMs === null || completeMs + largeMs <= deadlineMs
  return isWithinStep && isFaster && isInTime ? waitMs : 0
}
