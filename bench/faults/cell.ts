import { mkdtemp } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { Redis } from 'ioredis'
import { freePort } from '../../test/helpers/free-port.ts'
import { startLinkProxy } from '../../test/helpers/link-proxy.ts'
import type { LinkProxy } from '../../test/helpers/link-proxy.ts'
import { startRedis } from '../../test/helpers/redis.ts'
import type { RedisServer } from '../../test/helpers/redis.ts'
import { makeProgram } from './program.ts'
import type { Program } from './program.ts'
import { Service } from './service.ts'

export const keyPrefix = 'faults'
/** Room for 256 sessions of the fake model: any one worker could take all of a run. */
const amplyMib = 16

export interface CellOptions {
  gateways: number
  workers: number
  /** Whether there is a worker with a network too. */
  withCpu: boolean
  /** How long a session that nobody is attached to is kept: short, so that a run need not wait long to see it end. */
  graceMs: number
  /** How long a session without frames keeps its device memory. @default as servers have it */
  parkAfterMs?: number
  /** Device memory of a worker of the fake model, in MiB. @default room for all */
  memoryMib?: number
  /** Past the proxies between services and Redis, which take a share of every time that is measured. @default false */
  isDirect?: boolean
  onExit: (what: string) => void
}

/** Gateways and workers as processes of their own, a Redis, and a proxy wherever one speaks to another. */
export interface Cell {
  program: Program
  redis: RedisServer
  /** Straight to Redis; what is asked while Redis is away fails at once. */
  admin: Redis
  workers: Service[]
  gateways: Service[]
  /** Between the clients and each gateway. */
  doors: LinkProxy[]
  logsFolder: string
  close(): Promise<void>
}

/** Everything serves when this resolves. */
export async function startCell(options: CellOptions): Promise<Cell> {
  const { gateways, workers, withCpu, graceMs, parkAfterMs, isDirect = false, onExit } = options
  const { memoryMib = amplyMib } = options
  const logsFolder = await mkdtemp(path.join(os.tmpdir(), 'leadline-faults-'))
  const program = await makeProgram()
  const redis = await startRedis()
  const admin = new Redis(redis.url, {
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    retryStrategy: () => 100
  })
  admin.on('error', () => {})
  const cell: Cell = {
    program,
    redis,
    admin,
    workers: [],
    gateways: [],
    doors: [],
    logsFolder,
    close: () => close(cell)
  }
  const service = async (name: string, args: string[], own: Own): Promise<Service> => {
    const link = await startLinkProxy(redis.port)
    const env = {
      ...shared,
      LEADLINE_GRACE_MS: String(graceMs),
      LEADLINE_MEMORY_MIB: String(memoryMib),
      ...(parkAfterMs !== undefined && { LEADLINE_PARK_AFTER_MS: String(parkAfterMs) }),
      REDIS_URL: isDirect ? redis.url : `redis://127.0.0.1:${link.port}`,
      ...own.env
    }
    return new Service({ name, program, args, env, link, logsFolder, onExit, announcement: own.announcement })
  }
  for (let i = 0; i < workers; i++)
    cell.workers.push(await service(`worker${i}`, ['worker'], { announcement: serving, env: fakeWorker }))
  if (withCpu) cell.workers.push(await service('cpu', ['worker'], { announcement: serving, env: cpuWorker }))
  for (let i = 0; i < gateways; i++) {
    const port = await freePort()
    const args = ['gateway', '--port', String(port)]
    cell.gateways.push(await service(`gateway${i}`, args, { announcement: listening, env: {} }))
    cell.doors.push(await startLinkProxy(port))
  }
  await Promise.all([...cell.workers, ...cell.gateways].map((one) => one.start()))
  return cell
}

interface Own {
  announcement: RegExp
  env: NodeJS.ProcessEnv
}

/** Its name, and where its figures are. */
const serving = /serving: (\S+) .*(http:\S+\/metrics)/
const listening = /listening: (http:\S+)/
const shared = {
  LEADLINE_KEY_PREFIX: keyPrefix,
  LEADLINE_MODEL: 'fake',
  LEADLINE_LOG_LEVEL: 'debug'
}
const fakeWorker = { LEADLINE_EXECUTOR: 'fake', LEADLINE_METRICS_PORT: '0' }
const cpuWorker = {
  LEADLINE_EXECUTOR: 'ort-node',
  LEADLINE_MODEL: 'leadline-nano',
  LEADLINE_METRICS_PORT: '0',
  LEADLINE_THREADS: '1',
  LEADLINE_MEMORY_MIB: '256'
}

async function close({ admin, program, redis, workers, gateways, doors }: Cell): Promise<void> {
  await Promise.all([...workers, ...gateways].map((one) => one.close('SIGKILL')))
  await Promise.all(doors.map((door) => door.stop()))
  admin.disconnect()
  await redis.stop()
  await program.remove()
}
