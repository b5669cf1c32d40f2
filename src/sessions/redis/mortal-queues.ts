import { readFileSync } from 'node:fs'
import { createIORedisClient } from 'bullmq'
import type { IRedisClient } from 'bullmq'
import type { Redis } from 'ioredis'

type Transaction = ReturnType<IRedisClient['multi']>

const around = readFileSync(new URL('./scripts/shared/mortal.lua', import.meta.url), 'utf8')

/**
 * A connection for queues of BullMQ, each of whose scripts gives whatever it has written, and what has no life, one of `ttlMs`: in the
 * same step, since whoever wrote it may be gone before the next. It only ever begins a life; who uses a queue prolongs it.
 */
export function mortalQueues(redis: Redis, ttlMs: number): IRedisClient {
  return mortal(createIORedisClient(redis), ttlMs)
}

function mortal(client: IRedisClient, ttlMs: number): IRedisClient {
  // The same connection may serve queues of other lives.
  const named = (script: string): string => `${script} ${ttlMs}`
  const mortalTransaction = (transaction: Transaction): Transaction => {
    const { runCommand } = transaction
    return Object.assign(transaction, {
      runCommand: (script: string, values: unknown[]) => runCommand.call(transaction, named(script), values)
    })
  }
  const own: Partial<IRedisClient> = {
    defineCommand: (script, definition) =>
      client.defineCommand(named(script), { ...definition, lua: withLife(definition.lua, ttlMs) }),
    runCommand: (script, values) => client.runCommand(named(script), values),
    multi: () => mortalTransaction(client.multi()),
    pipeline: () => mortalTransaction(client.pipeline()),
    duplicate: (...options) => mortal(client.duplicate(...options), ttlMs)
  }
  return new Proxy(client, {
    get: (target, property) => {
      if (Object.hasOwn(own, property)) return Reflect.get(own, property)
      const value: unknown = Reflect.get(target, property)
      // BullMQ asks so whether a script is defined.
      return value === undefined && typeof property === 'string'
        ? Reflect.get(target, named(property))
        : value
    }
  })
}

function withLife(lua: string, ttlMs: number): string {
  return around.replace('-- ttl', String(ttlMs)).replace('-- script', () => lua)
}
