import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { startRedis } from '../../test/helpers/redis.ts'
import { percentile } from '../report.ts'

/** Small messages: what a session costs beside its bytes, which `bench link` measures. */
const messageBytes = 8192

export interface ScaleLoad {
  /** Sessions that send one frame a second. */
  slow: number
  /** Sessions that send 30. */
  fast: number
  seconds: number
}

export interface GatewayMeasure {
  frames: number
  /** When the time was over. */
  unanswered: number
  cpuMs: number
  latenciesMs: number[]
  /** All sessions, one after the other as far as a gateway does so. */
  openingMs: number
}

export interface Scale {
  load: ScaleLoad
  framesPerSecond: number
  p50: number
  p99: number
  unanswered: number
  /** Shares of one core. */
  cores: { redis: number; gateway: number; worker: number }
  /** CPU of Redis for one second of one session that sends a frame a second, all else taken together. */
  redisMsPerSessionSecond: number
  redisCommandsPerFrame: number
  /** To and from Redis, payload included. */
  bytesPerSessionSecond: number
  gatewayMsPerFrame: number
  opensPerSecond: number
}

/** One gateway, one worker, one Redis. Throws when a process ends by itself. */
export async function measureScale(load: ScaleLoad): Promise<Scale> {
  const server = await startRedis()
  const admin = new Redis(server.url)
  const worker = start('../link/echo-worker.ts', ['turn', server.url])
  try {
    await said(worker)
    const args = [server.url, String(load.slow), String(load.fast), String(load.seconds)]
    const gateway = start('./gateway.ts', args)
    try {
      await said(gateway)
      return await measure({ load, admin, worker, gateway })
    } finally {
      await end(gateway)
    }
  } finally {
    await end(worker)
    admin.disconnect()
    await server.stop()
  }
}

interface Measuring {
  load: ScaleLoad
  admin: Redis
  worker: ChildProcess
  gateway: ChildProcess
}

async function measure({ admin, gateway, load, worker }: Measuring): Promise<Scale> {
  gateway.send('go')
  await said(gateway)
  const before = { redis: await redisFigures(admin), workerMs: await cpuMsOf(worker) }
  const fromMs = performance.now()
  const measured = (await said(gateway)) as GatewayMeasure
  const seconds = (performance.now() - fromMs) / 1000
  const redis = await redisFigures(admin)
  const redisMs = redis.cpuMs - before.redis.cpuMs
  const workerMs = (await cpuMsOf(worker)) - before.workerMs
  const sessions = load.slow + load.fast
  const core = (ms: number): number => ms / 1000 / seconds
  return {
    load,
    framesPerSecond: measured.frames / seconds,
    p50: percentile(measured.latenciesMs, 0.5),
    p99: percentile(measured.latenciesMs, 0.99),
    unanswered: measured.unanswered,
    cores: { redis: core(redisMs), gateway: core(measured.cpuMs), worker: core(workerMs) },
    redisMsPerSessionSecond: redisMs / (sessions * seconds),
    redisCommandsPerFrame: (redis.commands - before.redis.commands) / measured.frames,
    bytesPerSessionSecond: (redis.bytes - before.redis.bytes) / (sessions * seconds),
    gatewayMsPerFrame: measured.cpuMs / measured.frames,
    opensPerSecond: (sessions / measured.openingMs) * 1000
  }
}

async function redisFigures(admin: Redis): Promise<{ cpuMs: number; bytes: number; commands: number }> {
  const info = await admin.info()
  const field = (name: string): number => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1])
  return {
    cpuMs: (field('used_cpu_user') + field('used_cpu_sys')) * 1000,
    bytes: field('total_net_input_bytes') + field('total_net_output_bytes'),
    commands: field('total_commands_processed')
  }
}

function start(script: string, args: readonly string[]): ChildProcess {
  return fork(fileURLToPath(new URL(script, import.meta.url)), args, {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, BENCH_MESSAGE_BYTES: String(messageBytes) }
  })
}

/** The next message; rejects when the process ends before. */
async function said(child: ChildProcess): Promise<unknown> {
  const ended = once(child, 'exit').then(([code]) =>
    Promise.reject(new Error(`a process ended with ${code}`))
  )
  ended.catch(() => {})
  const [message] = (await Promise.race([once(child, 'message'), ended])) as [unknown]
  return message
}

async function cpuMsOf(worker: ChildProcess): Promise<number> {
  worker.send('cpu')
  const { system, user } = (await said(worker)) as NodeJS.CpuUsage
  return (user + system) / 1000
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}
