import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { Keys } from '../../src/sessions/redis/keys.ts'
import { UsageKeys } from '../../src/usage/redis/usage-keys.ts'
import { keyPrefix } from '../faults/cell.ts'
import type { Cell } from '../faults/cell.ts'
import type { Measures } from './flat.ts'

const keys = new Keys(keyPrefix)
/** Of BullMQ's keys of one queue, those that hold jobs which are not done, and how they are counted. */
const jobLists = {
  wait: 'llen',
  active: 'llen',
  failed: 'zcard',
  delayed: 'zcard'
} as const

/** What is under way needs a moment to be done, and a session that was left is kept for a while. */
const patienceMs = 30_000

/** Measure once nothing of any session is left, or when that takes too long. */
export async function sampleLull(cell: Cell): Promise<Measures> {
  const untilMs = performance.now() + patienceMs
  for (;;) {
    const measures = await sample(cell)
    const isLull = measures['BullMQ jobs'] === 0 && measures['Redis keys of sessions'] === 0
    if (isLull || performance.now() > untilMs) return measures
    await delay(500)
  }
}

async function sample({ admin, gateways, workers }: Cell): Promise<Measures> {
  const measures: Record<string, number> = {}
  for (const { name, pid } of [...gateways, ...workers]) {
    if (pid === undefined) continue
    measures[`${name} RSS, MiB`] = rssMib(pid)
    measures[`${name} open files`] = readdirSync(`/proc/${pid}/fd`).length
  }
  const memory = await admin.info('memory')
  measures['Redis memory, MiB'] = Number(/^used_memory:(\d+)/m.exec(memory)?.[1]) / 2 ** 20
  const { done, open } = await jobs(admin)
  // The last hundred of each queue that are done are kept, each with a key of its own.
  // What was counted of sessions that others might go on with is marked for an hour, each with a key of its own.
  const marks = await admin.keys(new UsageKeys(keyPrefix).mark('*'))
  measures['Redis keys'] = (await admin.dbsize()) - done - marks.length
  measures['Redis keys of sessions'] = (await admin.keys(`${keys.sessionBase()}*`)).length
  measures['Redis clients'] = Number(/^connected_clients:(\d+)/m.exec(await admin.info('clients'))?.[1])
  measures['BullMQ jobs'] = open
  return measures
}

async function jobs(admin: Redis): Promise<{ open: number; done: number }> {
  const count = { open: 0, done: 0 }
  for (const id of await admin.smembers(keys.workers())) {
    count.done += await admin.zcard(`${keys.turnBase(id)}completed`)
    for (const [list, command] of Object.entries(jobLists)) {
      const key = `${keys.turnBase(id)}${list}`
      count.open += command === 'llen' ? await admin.llen(key) : await admin.zcard(key)
    }
  }
  return count
}

function rssMib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}
