import { usageMeasures } from '../metering/measures.ts'
import type { Meter, UsageAmounts, UsageMeasure } from '../metering/measures.ts'

/** What a key used on one day. */
export interface UsageRow {
  /** Of UTC, as `2026-01-31`. */
  day: string
  /** The id of a key; null: what was used without one. */
  owner: string | null
  amounts: Record<UsageMeasure, number>
}

export interface UsageWish {
  /** Both days are among them. */
  from: string
  to: string
  /** Whose; absent: everybody's. */
  of?: { owner: string | null }
}

/**
 * Where usage is kept, for `keptDays`. One contract suite runs on every form (test/contract/usage-store.suite.ts).
 */
export interface UsageStore extends Meter {
  /** Days on which something was counted, oldest first, then by owner. Throws STORE_UNAVAILABLE. */
  read(wish: UsageWish): Promise<UsageRow[]>
  /** What was counted is kept when it resolves. Twice without harm. */
  close(): Promise<void>
}

/** More than a year, so that one can be compared with the one before. */
export const keptDays = 400
const dayMs = 86_400_000

export function withEvery(amounts: UsageAmounts): Record<UsageMeasure, number> {
  return Object.fromEntries(usageMeasures.map((measure) => [measure, amounts[measure] ?? 0])) as Record<
    UsageMeasure,
    number
  >
}

/** Every day from one to the other. */
export function daysBetween(from: string, to: string): string[] {
  const days: string[] = []
  for (let ms = Date.parse(from); ms <= Date.parse(to); ms += dayMs)
    days.push(new Date(ms).toISOString().slice(0, 10))
  return days
}

/** The oldest day that is kept. */
export function oldestDay(nowMs: number): string {
  return new Date(nowMs - keptDays * dayMs).toISOString().slice(0, 10)
}

export function byDay(a: UsageRow, b: UsageRow): number {
  return order(a.day, b.day) || order(a.owner ?? '', b.owner ?? '')
}

function order(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
