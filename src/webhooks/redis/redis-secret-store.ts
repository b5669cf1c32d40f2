import Value from 'typebox/value'
import { LeadlineError } from '../../errors.ts'
import type { RedisConnections } from '../../sessions/index.ts'
import { patiently } from '../../sessions/index.ts'
import { keptSecrets, secretSchema } from '../secrets/secret-store.ts'
import type { Secret, SecretStore } from '../secrets/secret-store.ts'
import type { WebhookKeys } from './webhook-keys.ts'

/** The secrets of all gateways of a Redis. */
export class RedisSecretStore implements SecretStore {
  readonly #redis: RedisConnections
  readonly #keys: WebhookKeys

  constructor(redis: RedisConnections, keys: WebhookKeys) {
    this.#redis = redis
    this.#keys = keys
  }

  async read(owner: string | null): Promise<Secret[]> {
    const key = this.#keys.secrets(owner)
    const rows = await patiently(this.#redis, () => this.#redis.control.lrange(key, 0, keptSecrets - 1))
    return rows.map((row) => parsed(row, key))
  }

  async add(owner: string | null, secret: Secret): Promise<void> {
    const key = this.#keys.secrets(owner)
    const add = this.#redis.control.multi().lpush(key, JSON.stringify(secret))
    // Not sent again: it might be there twice, and the one before gone.
    await add
      .ltrim(key, 0, keptSecrets - 1)
      .exec()
      .catch((error: unknown) => {
        throw this.#redis.unavailable(error)
      })
  }
}

function parsed(row: string, key: string): Secret {
  const secret: unknown = JSON.parse(row)
  if (Value.Check(secretSchema, secret)) return secret
  throw new LeadlineError('STORE_UNAVAILABLE', `An entry of "${key}" in Redis is no secret; remove it there`)
}
