import { performance } from 'node:perf_hooks'
import { percentile } from '../report.ts'
import type { Carrier } from './carrier.ts'

export interface Load {
  sessions: number
  fps: number
  seconds: number
}

/** Milliseconds per frame that the link adds, and of CPU in gateway, worker and Redis together. */
export interface Measured {
  p50: number
  p99: number
  cpu: number
}

const warmUpSeconds = 1
/** How long frames that were sent may still take before they count as lost. */
const tailMs = 60_000

/** Open loop: frames are sent when they are due, whether or not those before have been answered. */
export async function measure(carrier: Carrier, load: Load, cpuMs: () => Promise<number>): Promise<Measured> {
  const sentAtMs = new Map<number, number>()
  const latencies: number[] = []
  await carrier.open(load.sessions, (session, seq) => {
    const key = seq * load.sessions + session
    latencies.push(performance.now() - (sentAtMs.get(key) ?? NaN))
    sentAtMs.delete(key)
  })
  const send = (n: number): void => {
    sentAtMs.set(n, performance.now())
    carrier.send(n % load.sessions, Math.floor(n / load.sessions))
  }
  const perSecond = load.sessions * load.fps
  await sendPaced(send, { from: 0, to: perSecond * warmUpSeconds, perSecond })
  await settled(sentAtMs)
  latencies.length = 0
  const before = await cpuMs()
  const total = perSecond * (warmUpSeconds + load.seconds)
  await sendPaced(send, { from: perSecond * warmUpSeconds, to: total, perSecond })
  await settled(sentAtMs)
  const cpu = ((await cpuMs()) - before) / latencies.length
  return { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99), cpu }
}

async function sendPaced(
  send: (n: number) => void,
  { from, to, perSecond }: { from: number; to: number; perSecond: number }
): Promise<void> {
  const startMs = performance.now()
  for (let n = from; n < to;) {
    const elapsedMs = performance.now() - startMs
    const dueCount = Math.floor((elapsedMs / 1000) * perSecond) + 1
    while (n < to && n - from < dueCount) send(n++)
    await new Promise((resolve) => setTimeout(resolve, (dueCount / perSecond) * 1000 - elapsedMs))
  }
}

async function settled(waiting: ReadonlyMap<number, number>): Promise<void> {
  const deadline = performance.now() + tailMs
  while (waiting.size > 0) {
    if (performance.now() > deadline) throw new Error(`${waiting.size} frames were never answered`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
