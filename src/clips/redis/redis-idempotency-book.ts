import type { RedisConnections } from '../../sessions/index.ts'
import { patiently } from '../../sessions/index.ts'
import type { Beginning, IdempotencyBook, Recorded } from '../books/idempotency-book.ts'
import { recordedMs } from '../books/idempotency-book.ts'
import type { ClipKeys } from './clip-keys.ts'

/** What stands in the place of what a request came to, while it is on its way. */
const pending = ''

/** The book of all gateways of a Redis. */
export class RedisIdempotencyBook implements IdempotencyBook {
  readonly #redis: RedisConnections
  readonly #keys: ClipKeys

  constructor(redis: RedisConnections, keys: ClipKeys) {
    this.#redis = redis
    this.#keys = keys
  }

  async begin(name: string, holdMs: number): Promise<Beginning> {
    const { control } = this.#redis
    const key = this.#keys.request(name)
    // Not sent again: by then it might find its own.
    const set = control.set(key, pending, 'PX', holdMs, 'NX')
    const isBegun = await set.catch((error: unknown) => {
      throw this.#redis.unavailable(error)
    })
    if (isBegun === 'OK') return 'begun'
    const found = await patiently(this.#redis, () => control.get(key))
    return found ? (JSON.parse(found) as Recorded) : 'pending'
  }

  async hold(name: string, holdMs: number): Promise<void> {
    await this.#set(name, pending, holdMs)
  }

  async record(name: string, recorded: Recorded): Promise<void> {
    await this.#set(name, JSON.stringify(recorded), recordedMs)
  }

  async forget(name: string): Promise<void> {
    await patiently(this.#redis, () => this.#redis.control.del(this.#keys.request(name)))
  }

  async #set(name: string, value: string, forMs: number): Promise<void> {
    await patiently(this.#redis, () => this.#redis.control.set(this.#keys.request(name), value, 'PX', forMs))
  }
}
