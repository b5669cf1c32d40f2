import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible'
import type { RateLimiterAbstract } from 'rate-limiter-flexible'
import type { RedisConnections, RedisKeys } from '../../sessions/index.ts'

const windowSeconds = 60

/** Where one stands in the minute that runs. */
export interface Standing {
  isGranted: boolean
  limit: number
  remaining: number
  /** Until the minute is over. */
  resetMs: number
}

/** Counts by the minute, under any name, shared with whoever shares the store. */
export class RequestMeter {
  readonly #limiter: RateLimiterAbstract

  /** null: for this process alone. */
  constructor(redis: { connections: RedisConnections; keys: RedisKeys } | null) {
    // Whether a count is too high is told here: each key has a limit of its own.
    const options = { points: Number.MAX_SAFE_INTEGER, duration: windowSeconds }
    this.#limiter =
      redis === null
        ? new RateLimiterMemory(options)
        : new RateLimiterRedis({
            ...options,
            storeClient: redis.connections.control,
            keyPrefix: redis.keys.requestCounts()
          })
  }

  /** One more under this name. Rejects where the store is away. */
  async take(name: string, limit: number): Promise<Standing> {
    const { consumedPoints, msBeforeNext } = await this.#limiter.consume(name, 1)
    return {
      isGranted: consumedPoints <= limit,
      limit,
      remaining: Math.max(0, limit - consumedPoints),
      resetMs: Math.max(0, msBeforeNext)
    }
  }
}
