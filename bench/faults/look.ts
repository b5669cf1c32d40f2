import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { Keys } from '../../src/sessions/redis/keys.ts'
import type { Cell } from './cell.ts'
import { keyPrefix } from './cell.ts'
import { disagreements } from './checks/looks.ts'
import type { Look, RunRecord, WorkerLook } from './record.ts'
import type { Service } from './service.ts'

const keys = new Keys(keyPrefix)
const everyMs = 500
const metricsTimeoutMs = 2000
const usageTimeoutMs = 5000
/** What is under way needs a moment to be done. */
const patienceMs = 20_000

/** Look again and again until `isOver`; what fails because Redis is away is no look. */
export async function keepLooking(cell: Cell, looks: Look[], isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const look = await lookAt(cell.admin).catch(() => null)
    if (look) looks.push(look)
    await delay(everyMs)
  }
}

/** With what the engines say; looked at until rows and engines agree, or for long enough. */
export async function lookAtRest(cell: Cell): Promise<Look> {
  const untilMs = performance.now() + patienceMs
  for (;;) {
    const look = await lookAt(cell.admin)
    const engines = new Map(
      await Promise.all(cell.workers.map(async (worker) => [worker.said[0], await engineOf(worker)] as const))
    )
    const workers = look.workers.map((worker) => ({ ...worker, engine: engines.get(worker.id) ?? null }))
    const atRest = { ...look, workers }
    if (disagreements(atRest).length === 0 || performance.now() > untilMs) return atRest
    await delay(everyMs)
  }
}

async function lookAt(admin: Redis): Promise<Look> {
  const workers = await Promise.all((await admin.smembers(keys.workers())).map((id) => workerLook(admin, id)))
  const ids = new Set(workers.flatMap((worker) => worker?.sessionIds ?? []))
  const sessions = await Promise.all(
    [...ids].map(async (id) => {
      const [state, bytes, workerId] = await admin.hmget(keys.session(id), 'state', 'deviceBytes', 'workerId')
      return { id, state: state ?? '', bytes: Number(bytes), workerId: workerId ?? '' }
    })
  )
  return { atMs: performance.now(), workers: workers.filter((worker) => worker !== null), sessions }
}

/** Null when its lease has run out. */
async function workerLook(admin: Redis, id: string): Promise<WorkerLook | null> {
  const [capacity, reserved] = await admin.hmget(keys.worker(id), 'capacityBytes', 'reservedBytes')
  const askedMs = performance.now()
  const leaseEndMs = askedMs + (await admin.pttl(keys.worker(id)))
  if (capacity === null || capacity === undefined) return null
  const sessionIds = await admin.smembers(keys.workerSessions(id))
  const bytes = { capacityBytes: Number(capacity), reservedBytes: Number(reserved) }
  return { id, leaseEndMs, ...bytes, sessionIds, engine: null }
}

async function engineOf({ said }: Service): Promise<WorkerLook['engine']> {
  const [, url = ''] = said
  try {
    const text = await (await fetch(url, { signal: AbortSignal.timeout(metricsTimeoutMs) })).text()
    const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
    const sessions = (state: string) => value(`leadline_sessions{state="${state}"}`)
    return {
      sessions: sessions('active') + sessions('parked'),
      reservedBytes: value('leadline_reserved_bytes')
    }
  } catch {
    return null
  }
}

/** What lies in Redis of sessions, and what lies there for ever, `lapseMs` and a while after all have ended. */
export async function readLeftovers(admin: Redis, lapseMs: number): Promise<RunRecord['leftovers']> {
  const untilMs = performance.now() + lapseMs + patienceMs
  for (;;) {
    const leftovers: RunRecord['leftovers'] = { sessionKeys: [], immortal: [] }
    for (const key of await admin.keys('*')) {
      if (key.startsWith(keys.sessionBase())) leftovers.sessionKeys.push(await described(admin, key))
      if ((await admin.pttl(key)) === -1) leftovers.immortal.push(key)
    }
    const isClean = leftovers.sessionKeys.length + leftovers.immortal.length === 0
    if (isClean || performance.now() > untilMs) return leftovers
    await delay(everyMs)
  }
}

/** Frames that count as used, of all days; null where no gateway says. */
export async function readUsedFrames(doors: readonly string[]): Promise<number | null> {
  for (const door of doors) {
    try {
      const response = await fetch(`${door}/v1/usage`, { signal: AbortSignal.timeout(usageTimeoutMs) })
      const { usage } = (await response.json()) as { usage: { frames: number }[] }
      return usage.reduce((sum, { frames }) => sum + frames, 0)
    } catch {
      // Another may know.
    }
  }
  return null
}

/** A row with what it says. */
async function described(admin: Redis, key: string): Promise<string> {
  if ((await admin.type(key)) !== 'hash') return key
  const fields = ['state', 'workerId', 'gatewayId', 'deadlineMs', 'touchedAtMs']
  const values = await admin.hmget(key, ...fields)
  return `${key} (${fields.map((field, i) => `${field} ${values[i] || '-'}`).join(', ')}; it is ${Date.now()})`
}
