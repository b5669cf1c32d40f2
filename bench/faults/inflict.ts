import { setTimeout as delay } from 'node:timers/promises'
import type { Cell } from './cell.ts'
import type { Fault } from './plan.ts'
import type { FaultRecord } from './record.ts'
import type { Service } from './service.ts'

/** How much later everything arrives on a line that is delayed, in each direction. */
const delayMs = 150
/** Part of the command line of a worker's executor. */
const executor = 'process/child'
/** What Redis forgets when it comes back with an older state. */
const staleMs = 1000

/** Do it, and resolve when whatever it hit is whole again, with what it was done to. */
export async function inflict(cell: Cell, fault: Fault): Promise<FaultRecord> {
  const fromMs = performance.now()
  const target = await hit(cell, fault)
  return { kind: fault.kind, target, fromMs, toMs: performance.now() }
}

async function hit(cell: Cell, fault: Fault): Promise<string> {
  if (fault.kind.startsWith('redis')) return hitRedis(cell, fault)
  if (fault.kind.startsWith('link')) return hitLink(cell, fault)
  if (fault.kind.startsWith('door')) return hitDoor(cell, fault)
  if (fault.kind.startsWith('gateway')) return hitService(cell.gateways[fault.index]!, fault)
  return hitService(cell.workers[fault.index]!, fault)
}

async function hitService(service: Service, { kind, ms }: Fault): Promise<string> {
  if (kind === 'workerKill' || kind === 'gatewayKill') await service.replace('SIGKILL')
  if (kind === 'workerTerm' || kind === 'gatewayTerm') await service.replace('SIGTERM')
  if (kind === 'workerStop' || kind === 'gatewayStop') {
    service.signal('SIGSTOP')
    await delay(ms)
    service.signal('SIGCONT')
  }
  const pids = kind.startsWith('executor') ? service.children(executor) : []
  if (kind === 'executorKill') tell(pids, 'SIGKILL')
  if (kind === 'executorStop') {
    tell(pids, 'SIGSTOP')
    await delay(ms)
    tell(pids, 'SIGCONT')
  }
  await service.up
  return service.name
}

async function hitRedis({ admin, redis }: Cell, { kind, ms }: Fault): Promise<string> {
  const ask = (...command: [string, ...string[]]): Promise<unknown> => admin.call(...command).catch(() => {})
  if (kind === 'redisFlush') await ask('FLUSHALL')
  if (kind === 'redisPause') {
    await ask('CLIENT', 'PAUSE', String(ms))
    await delay(ms)
  }
  if (kind === 'redisClientKill') await ask('CLIENT', 'KILL', 'TYPE', 'normal')
  if (kind === 'redisStop') {
    redis.freeze()
    await delay(ms)
    redis.thaw()
  }
  if (kind === 'redisEmpty' || kind === 'redisSaved' || kind === 'redisStale') {
    if (kind !== 'redisEmpty') await ask('SAVE')
    if (kind === 'redisStale') await delay(staleMs)
    await redis.kill()
    await delay(ms)
    await redis.restart({ withData: kind !== 'redisEmpty' })
  }
  return 'redis'
}

async function hitLink({ gateways, workers }: Cell, { index, kind, ms }: Fault): Promise<string> {
  const { link, name } = [...gateways, ...workers][index]!
  if (kind === 'linkCut') link.cut()
  if (kind === 'linkHalfOpen') link.halfOpen()
  if (kind === 'linkBlackHole') {
    link.blackHole()
    await delay(ms)
    link.heal()
  }
  if (kind === 'linkDelay') {
    link.delay(delayMs)
    await delay(ms)
    link.delay(0)
  }
  return name
}

async function hitDoor({ doors }: Cell, { index, kind, ms }: Fault): Promise<string> {
  const door = doors[index]!
  if (kind === 'doorCut') door.cut()
  if (kind === 'doorHalfOpen') door.halfOpen()
  if (kind === 'doorDelay') {
    door.delay(delayMs)
    await delay(ms)
    door.delay(0)
  }
  return `gateway${index}`
}

function tell(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal)
    } catch {
      // It has ended meanwhile.
    }
  }
}
