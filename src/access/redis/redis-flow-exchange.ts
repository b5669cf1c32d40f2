import { randomBytes } from 'node:crypto'
import type { RedisConnections, RedisKeys } from '../../sessions/index.ts'
import { noFlow, sum } from '../limits/flow.ts'
import type { Flow, FlowExchange } from '../limits/flow.ts'

/** Each gateway has a field of its own for each key, whose end Redis itself sees to. */
export class RedisFlowExchange implements FlowExchange {
  readonly #redis: RedisConnections
  readonly #keys: RedisKeys
  readonly #id = randomBytes(8).toString('hex')

  /** Closing the connections stays with whoever opened them. */
  constructor(redis: RedisConnections, keys: RedisKeys) {
    this.#redis = redis
    this.#keys = keys
  }

  /** Not sent again where Redis is away: the next account is not far. */
  async swap(keyId: string, here: Flow, ttlMs: number): Promise<Flow> {
    const { control } = this.#redis
    const gateways = this.#keys.flowGateways(keyId)
    try {
      const [ids] = await Promise.all([
        control.smembers(gateways),
        // In one step: cut off between the two, this gateway would leave a set that stays for good.
        control
          .multi()
          .sadd(gateways, this.#id)
          .pexpire(gateways, 2 * ttlMs)
          .exec(),
        control.set(this.#keys.flow(keyId, this.#id), JSON.stringify(here), 'PX', ttlMs)
      ])
      const others = ids.filter((id) => id !== this.#id)
      if (others.length === 0) return noFlow
      const texts = await control.mget(...others.map((id) => this.#keys.flow(keyId, id)))
      const gone = others.filter((_, i) => texts[i] === null)
      if (gone.length > 0) await control.srem(gateways, ...gone)
      return sum(texts.filter((text) => text !== null).map((text) => JSON.parse(text) as Flow))
    } catch (error) {
      throw this.#redis.unavailable(error)
    }
  }
}
