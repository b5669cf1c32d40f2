import type { Keys } from './keys.ts'
import { parseSession } from './session-hash.ts'
import type { ListWish, SessionPage, SessionRow } from '../session-store.ts'
import type { Redis } from 'ioredis'

/** Rows that are read at once while a list looks for an owner's. */
const atOnce = 200

export async function readSessions(redis: Redis, keys: Keys, ids: readonly string[]): Promise<SessionRow[]> {
  const hashes = await Promise.all(ids.map((id) => redis.hgetall(keys.session(id))))
  return hashes.filter((hash) => Object.keys(hash).length > 0).map(parseSession)
}

/**
 * A page of rows in the order of their ids. There is no list of all sessions to be kept right: their ids are those on the
 * workers and the lost ones.
 */
export async function listSessions(redis: Redis, keys: Keys, wish: ListWish): Promise<SessionPage> {
  const { owner, cursor, limit } = wish
  const workers = await redis.smembers(keys.workers())
  const sets = workers.map((id) => keys.workerSessions(id))
  const ids = (await redis.sunion(keys.lostSessions(), ...sets)).sort()
  const found: SessionRow[] = []
  const rest = cursor === null ? ids : ids.filter((id) => id > cursor)
  while (rest.length > 0 && found.length <= limit) {
    const rows = await readSessions(redis, keys, rest.splice(0, Math.max(atOnce, limit + 1)))
    found.push(...rows.filter((row) => owner === null || row.owner === owner))
  }
  const sessions = found.slice(0, limit)
  return { sessions, cursor: found.length > limit ? (sessions.at(-1)?.id ?? null) : null }
}
