import type { UsageEntry } from '../../src/metering/measures.ts'

export const usageKey = '0123456789abcdef'
export const always = { from: '2026-01-01', to: '2026-12-31' }

/** A frame of a session that is counted by this number. */
export function entryOf(entry: Partial<UsageEntry> = {}, number = 1): UsageEntry {
  const mark = { name: 'session:a', number, keptMs: 60_000 }
  return { owner: usageKey, day: '2026-03-01', amounts: { frames: 1 }, mark, ...entry }
}
