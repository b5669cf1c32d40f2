/**
 * The link to workers, measured against what one would write first: a BullMQ job per frame. Same Redis, same machine,
 * same run; 64 KiB each way, an engine that answers at once. Rounds alternate between the two; figures are medians.
 */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { startRedis } from '../test/helpers/redis.ts'
import type { Carrier } from './link/carrier.ts'
import { jobCarrier } from './link/job-carrier.ts'
import { measure } from './link/load.ts'
import type { Load, Measured } from './link/load.ts'
import { turnCarrier } from './link/turn-carrier.ts'
import { median, report } from './report.ts'

const rounds = Number(process.env.BENCH_ROUNDS ?? 5)
const loads: Load[] = [
  { sessions: 8, fps: 30, seconds: 4 },
  { sessions: 8, fps: 240, seconds: 3 }
]
const carriers = {
  turn: turnCarrier,
  job: jobCarrier,
  jobInOneGo: (redisUrl: string): Promise<Carrier> => jobCarrier(redisUrl, true)
} as const
type Form = keyof typeof carriers

const baselines = {
  job: 'a BullMQ job per frame',
  jobInOneGo: 'a BullMQ job per frame, queued before its frame is known to be stored'
}

const server = await startRedis()
const admin = new Redis(server.url)
// A subscriber that falls behind would be cut off and its results lost, which is not what is compared here.
await admin.config('SET', 'client-output-buffer-limit', 'pubsub 0 0 0')
try {
  await run()
} finally {
  admin.disconnect()
  await server.stop()
}

async function run(): Promise<void> {
  const measured = new Map<string, Measured[]>()
  for (let round = 0; round < rounds; round++) {
    for (const load of loads) {
      for (const form of ['job', 'turn', 'jobInOneGo'] as const) {
        const figures = await measureOnce(form, load)
        const name = nameOf(form, load)
        measured.set(name, [...(measured.get(name) ?? []), figures])
        process.stderr.write(`${round + 1}/${rounds} ${name} ${JSON.stringify(figures)}\n`)
      }
    }
  }
  for (const load of loads) {
    reportLoad(load, measured, 'job')
    reportLoad(load, measured, 'jobInOneGo')
  }
}

function nameOf(form: Form, { sessions, fps }: Load): string {
  return `${form} ${sessions}x${fps}`
}

async function measureOnce(form: Form, load: Load): Promise<Measured> {
  await admin.flushall()
  const worker = await startWorker(form)
  let carrier: Carrier | null = null
  try {
    carrier = await carriers[form](server.url)
    return await measure(carrier, load, () => cpuMs(worker))
  } finally {
    await carrier?.close()
    const exited = once(worker, 'exit')
    worker.kill('SIGKILL')
    await exited
  }
}

async function startWorker(form: Form): Promise<ChildProcess> {
  const script = fileURLToPath(new URL('link/echo-worker.ts', import.meta.url))
  const worker = fork(script, [form, server.url], { execArgv: ['--import', 'tsx'] })
  await once(worker, 'message')
  return worker
}

/** CPU time of gateway (this process), worker and Redis so far. */
async function cpuMs(worker: ChildProcess): Promise<number> {
  const answer = once(worker, 'message')
  worker.send('cpu')
  const [usage] = (await answer) as [NodeJS.CpuUsage]
  const own = process.cpuUsage()
  const info = await admin.info('cpu')
  const seconds = (field: string): number => Number(new RegExp(`^${field}:([\\d.]+)`, 'm').exec(info)?.[1])
  const redisMs = (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1000
  return (own.user + own.system + usage.user + usage.system) / 1000 + redisMs
}

function reportLoad(
  load: Load,
  measured: ReadonlyMap<string, Measured[]>,
  baseline: keyof typeof baselines
): void {
  const middle = (form: Form, figure: keyof Measured): number =>
    median((measured.get(nameOf(form, load)) ?? []).map((figures) => figures[figure]))
  const what = `${load.sessions} sessions x ${load.fps} fps`
  for (const [figure, title] of [
    ['p50', 'added latency, p50'],
    ['p99', 'added latency, p99'],
    ['cpu', 'CPU per frame']
  ] as const) {
    const [value, other] = [middle('turn', figure), middle(baseline, figure)]
    report({
      ...{ name: `link, ${what}: ${title}`, value: rounded(value), unit: 'ms' },
      ...{ ratio: rounded(value / other), to: `${baselines[baseline]} (${other.toFixed(2)} ms)` }
    })
  }
}

function rounded(value: number): number {
  return Number(value.toFixed(3))
}
