import type { RedisScripts } from '../../sessions/index.ts'
import type { UsageEntry } from '../../metering/measures.ts'
import { dayTtlMs, fieldOf } from './usage-keys.ts'
import type { UsageKeys } from './usage-keys.ts'

export const usageScripts = new URL('./scripts/', import.meta.url)

/**
 * Count it in one atomic change, which may be sent again. `after`: the number of its mark that must be counted before. "gap": it
 * was not. Rejects with what Redis or the connection says.
 */
export async function sendCount(
  scripts: RedisScripts,
  keys: UsageKeys,
  { entry, after }: { entry: UsageEntry; after: number | null }
): Promise<'counted' | 'known' | 'gap'> {
  const { amounts, day, mark, owner } = entry
  const fields = Object.entries(amounts).flatMap(([measure, amount]) => [fieldOf(measure, owner), amount])
  const values = [dayTtlMs, mark.number, mark.keptMs, after ?? '', ...fields]
  const said = await scripts.run('countUsage', [keys.day(day), keys.mark(mark.name)], values)
  if (said === -1) return 'gap'
  return said === 1 ? 'counted' : 'known'
}
