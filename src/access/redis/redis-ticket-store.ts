import { patiently } from '../../sessions/index.ts'
import type { RedisConnections, RedisKeys } from '../../sessions/index.ts'
import type { TicketStore } from '../ticket-store.ts'
import type { Ticket } from '../ticket.ts'

/** Tickets of all gateways: one that was made by one opens a stream at another. */
export class RedisTicketStore implements TicketStore {
  readonly #redis: RedisConnections
  readonly #keys: RedisKeys

  /** Closing the connections stays with whoever opened them. */
  constructor(redis: RedisConnections, keys: RedisKeys) {
    this.#redis = redis
    this.#keys = keys
  }

  async put(hash: string, { keyId }: Ticket, ttlMs: number): Promise<void> {
    await patiently(this.#redis, () => this.#redis.control.set(this.#keys.ticket(hash), keyId, 'PX', ttlMs))
  }

  /** Sent again after its answer was lost it finds nothing: the client has to fetch another. */
  async take(hash: string): Promise<Ticket | null> {
    const keyId = await patiently(this.#redis, () => this.#redis.control.getdel(this.#keys.ticket(hash)))
    return keyId === null ? null : { keyId }
  }
}
