/**
 * What a planned departure costs: `npm run bench drain`. Fifty live sessions of the fake executor at 10 fps, gateways and
 * workers as processes of their own. A worker is told to stop; then every worker and gateway is replaced, one after the other.
 * The gap between two depth maps is 100 ms where nothing happens: what is more is the stall.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { connectStream } from '../src/client/index.ts'
import type { DepthStream } from '../src/client/index.ts'
import { LeadlineError } from '../src/errors.ts'
import { startCell } from './faults/cell.ts'
import { percentile, report } from './report.ts'

const sessions = Number(process.env['BENCH_SESSIONS'] ?? 50)
const frameMs = 100
const calmMs = 5000

interface Viewer {
  index: number
  stream: DepthStream
  sent: number
  /** When each depth map came. */
  cameAtMs: number[]
  /** Of each outcome, in the order of coming. */
  seqs: number[]
  continuities: string[]
  stop: () => void
}

const cell = await startCell({
  ...{ gateways: 2, workers: 3, withCpu: false, graceMs: 45_000 },
  onExit: (what) => process.stderr.write(`${what}\n`)
})
const viewers = await Promise.all(
  Array.from({ length: sessions }, (_, i) =>
    watch(
      cell.doors.map(({ port }) => `ws://127.0.0.1:${port}`),
      i
    )
  )
)
await gather()
await delay(calmMs)
const beforeMs = performance.now()
await delay(calmMs)
const drainMs = performance.now()
const leaving = cell.workers[0]!
await leaving.close('SIGTERM')
const goneMs = performance.now()
await delay(2000)
const drain = gaps(viewers, drainMs, performance.now())
const rollMs = performance.now()
process.stderr.write(`drained at ${Math.round(rollMs)} ms; logs in ${cell.logsFolder}\n`)
for (const service of [...cell.workers.slice(1), ...cell.gateways]) {
  process.stderr.write(`${service.name} leaves at ${Math.round(performance.now())} ms\n`)
  await service.replace('SIGTERM')
  await delay(2000)
}
const roll = gaps(viewers, rollMs, performance.now())
const calm = gaps(viewers, beforeMs, drainMs)
for (const viewer of viewers) viewer.stop()
const ends = await Promise.allSettled(viewers.map(({ stream }) => stream.close()))
const lost = ends.filter(({ status }) => status === 'rejected').length
await delay(200)

const name = (what: string): string => `${sessions} sessions at ${1000 / frameMs} fps: ${what}`
const ms = (what: string, value: number): void =>
  report({ name: name(what), value: Math.round(value), unit: 'ms' })
ms('longest gap of a session while nothing happens, p95', percentile(calm, 0.95))
ms('longest stall of a session when a worker is drained, p50', percentile(drain, 0.5) - frameMs)
ms('longest stall of a session when a worker is drained, p95', percentile(drain, 0.95) - frameMs)
ms('longest stall of a session when a worker is drained, most', Math.max(...drain) - frameMs)
ms('from SIGTERM of the worker to its end', goneMs - drainMs)
ms('longest stall of a session in a rolling restart, p95', percentile(roll, 0.95) - frameMs)
const count = (what: string, value: number): void => report({ name: name(what), value, unit: '' })
count('sessions lost', lost)
count(
  'frames without a depth map',
  viewers.reduce((sum, { sent, cameAtMs }) => sum + sent - cameAtMs.length, 0)
)
count(
  'sessions with outcomes out of order',
  viewers.filter(({ seqs }) => seqs.some((seq, i) => seq <= (seqs[i - 1] ?? -1))).length
)
count(
  'moves and losses that were not exact',
  viewers.flatMap((one) => one.continuities).filter((one) => one !== 'exact').length
)
await cell.close()
process.exit(0)

/** All sessions on the first worker, and two more that are empty. */
async function gather(): Promise<void> {
  const base = cell.gateways[0]!.said[0]!
  const others = cell.workers.slice(1)
  for (const worker of others) {
    const id = worker.said[0]!
    await fetch(`${base}/v1/workers/${id}/drain`, { method: 'POST' })
    while ((await sessionsOn(base, id)) > 0) await delay(200)
  }
  await Promise.all(others.map((worker) => worker.replace('SIGTERM')))
}

async function sessionsOn(base: string, id: string): Promise<number> {
  const response = await fetch(`${base}/v1/workers`)
  const { workers } = (await response.json()) as { workers: { id: string; sessions: number }[] }
  return workers.find((worker) => worker.id === id)?.sessions ?? 0
}

async function watch(urls: string[], index: number): Promise<Viewer> {
  await delay(index * 20)
  const at = index % urls.length
  const continuities: string[] = []
  const stream = await connectStream({
    url: [...urls.slice(at), ...urls.slice(0, at)],
    config: { model: 'fake', delivery: 'lossless', sceneCut: false },
    onConnection: (event) => void (event.type === 'recovered' && continuities.push(event.continuity))
  })
  const viewer: Viewer = { index, stream, sent: 0, cameAtMs: [], seqs: [], continuities, stop: () => {} }
  const camera = setInterval(() => {
    if (stream.unsettled >= stream.ready.limits.maxInFlight) return
    viewer.sent += 1
    const data = new Uint8Array(48).fill(viewer.sent)
    stream.send({ data, codec: 'rgb24', width: 4, height: 4 }).catch(() => {})
  }, frameMs)
  viewer.stop = () => clearInterval(camera)
  void read(viewer)
  return viewer
}

async function read(viewer: Viewer): Promise<void> {
  try {
    for await (const outcome of viewer.stream.outcomes) {
      viewer.seqs.push(outcome.seq)
      if (outcome.type === 'result') viewer.cameAtMs.push(performance.now())
      else say(viewer, outcome.type === 'error' ? reasonOf(outcome.error) : `drop, ${outcome.reason}`)
    }
  } catch (error) {
    viewer.stop()
    say(viewer, `lost, ${reasonOf(error)}`)
  }
}

function say({ index }: Viewer, what: string): void {
  process.stderr.write(`session ${index} at ${Math.round(performance.now())} ms: ${what}\n`)
}

function reasonOf(error: unknown): string {
  return error instanceof LeadlineError
    ? `${error.code} (${error.definition.title}): ${error.message}`
    : String(error)
}

/** The longest time between two depth maps of each session, in a stretch of time. */
function gaps(all: readonly Viewer[], fromMs: number, toMs: number): number[] {
  return all.map(({ cameAtMs }) => {
    const came = cameAtMs.filter((atMs) => atMs >= fromMs && atMs <= toMs)
    return Math.max(...came.slice(1).map((atMs, i) => atMs - (came[i] ?? atMs)), (came[0] ?? toMs) - fromMs)
  })
}
