import { LeadlineError } from '../../errors.ts'
import { patiently } from '../../sessions/index.ts'
import type { RedisConnections, RedisKeys } from '../../sessions/index.ts'
import { parseKey } from '../access-key.ts'
import type { AccessKey } from '../access-key.ts'
import { byAge } from '../key-store.ts'
import type { KeyStore } from '../key-store.ts'

/**
 * Two hashes by id, one of keys as JSON and one of the times of revocations: nothing that is written is written over, so
 * that a revocation stays whatever else happens.
 */
export class RedisKeyStore implements KeyStore {
  readonly #redis: RedisConnections
  readonly #keys: RedisKeys

  /** Closes the connections with it. */
  constructor(redis: RedisConnections, keys: RedisKeys) {
    this.#redis = redis
    this.#keys = keys
  }

  async add(key: AccessKey): Promise<void> {
    await this.#do((redis) => redis.hset(this.#keys.accessKeys(), key.id, JSON.stringify(key)))
  }

  async read(ids: readonly string[]): Promise<AccessKey[]> {
    if (ids.length === 0) return []
    const [rows, revocations] = await this.#do((redis) =>
      Promise.all([
        redis.hmget(this.#keys.accessKeys(), ...ids),
        redis.hmget(this.#keys.revokedKeys(), ...ids)
      ])
    )
    return rows.flatMap((row, i) => (row === null ? [] : this.#key(row, revocations[i] ?? null)))
  }

  async list(): Promise<AccessKey[]> {
    return (await this.read(await this.#do((redis) => redis.hkeys(this.#keys.accessKeys())))).sort(byAge)
  }

  async revoke(id: string, atMs: number): Promise<'revoked' | 'unknown'> {
    const isThere = await this.#do((redis) => redis.hexists(this.#keys.accessKeys(), id))
    if (isThere === 0) return 'unknown'
    await this.#do((redis) => redis.hsetnx(this.#keys.revokedKeys(), id, atMs))
    return 'revoked'
  }

  async close(): Promise<void> {
    this.#redis.close()
  }

  #key(row: string, revokedAtMs: string | null): AccessKey {
    const key = parseKey(row)
    if (key !== null) return { ...key, revokedAtMs: revokedAtMs === null ? null : Number(revokedAtMs) }
    const where = this.#keys.accessKeys()
    throw new LeadlineError('STORE_UNAVAILABLE', `A field of "${where}" in Redis is no key; remove it there`)
  }

  #do<T>(work: (redis: RedisConnections['control']) => Promise<T>): Promise<T> {
    return patiently(this.#redis, () => work(this.#redis.control))
  }
}
