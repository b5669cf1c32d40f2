import type { UsageEntry } from '../../metering/measures.ts'
import { usageMeasures } from '../../metering/measures.ts'
import { patiently, RedisScripts } from '../../sessions/index.ts'
import type { RedisConnections } from '../../sessions/index.ts'
import { byDay, daysBetween, withEvery } from '../usage-store.ts'
import type { UsageRow, UsageStore, UsageWish } from '../usage-store.ts'
import { sendCount, usageScripts } from './count-command.ts'
import { fieldOf } from './usage-keys.ts'
import type { UsageKeys } from './usage-keys.ts'

/** Usage of all gateways and workers of a Redis. */
export class RedisUsageStore implements UsageStore {
  readonly #redis: RedisConnections
  readonly #keys: UsageKeys
  readonly #scripts: RedisScripts

  /** Closes the connections with it. */
  constructor(redis: RedisConnections, keys: UsageKeys) {
    this.#redis = redis
    this.#keys = keys
    this.#scripts = new RedisScripts(redis.control, usageScripts)
  }

  async count(entry: UsageEntry): Promise<boolean> {
    const said = await patiently(this.#redis, () =>
      sendCount(this.#scripts, this.#keys, { entry, after: null })
    )
    return said === 'counted'
  }

  async read({ from, to, of }: UsageWish): Promise<UsageRow[]> {
    const rows = await Promise.all(
      daysBetween(from, to).map((day) => (of === undefined ? this.#everyone(day) : this.#one(day, of.owner)))
    )
    return rows.flat().sort(byDay)
  }

  async close(): Promise<void> {
    this.#redis.close()
  }

  async #everyone(day: string): Promise<UsageRow[]> {
    const fields = await patiently(this.#redis, () => this.#redis.control.hgetall(this.#keys.day(day)))
    const owners = new Map<string, Record<string, number>>()
    for (const [field, amount] of Object.entries(fields)) {
      const [measure = '', owner = ''] = field.split(':')
      owners.set(owner, { ...owners.get(owner), [measure]: Number(amount) })
    }
    return [...owners].map(([owner, amounts]) => ({ day, owner: owner || null, amounts: withEvery(amounts) }))
  }

  async #one(day: string, owner: string | null): Promise<UsageRow[]> {
    const fields = usageMeasures.map((measure) => fieldOf(measure, owner))
    const found = await patiently(this.#redis, () =>
      this.#redis.control.hmget(this.#keys.day(day), ...fields)
    )
    if (found.every((amount) => amount === null)) return []
    const amounts = Object.fromEntries(usageMeasures.map((measure, i) => [measure, Number(found[i])]))
    return [{ day, owner, amounts: withEvery(amounts) }]
  }
}
