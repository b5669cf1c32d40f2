import { performance } from 'node:perf_hooks'
import { randomNumbers } from '../random.ts'
import { percentile } from '../report.ts'
import type { Carrier } from './carrier.ts'

export interface Group {
  sessions: number
  fps: number
}

export interface Load extends Group {
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
  const sentAtMs = new Map<string, number>()
  const latencies: number[] = []
  await carrier.open(load.sessions, (session, seq) => {
    const key = `${session}/${seq}`
    latencies.push(performance.now() - (sentAtMs.get(key) ?? NaN))
    sentAtMs.delete(key)
  })
  const send = ({ session, seq }: Due): void => {
    sentAtMs.set(`${session}/${seq}`, performance.now())
    carrier.send(session, seq)
  }
  const frames = schedule([load], warmUpSeconds + load.seconds)
  const warmUpCount = load.sessions * load.fps * warmUpSeconds
  await sendPaced(send, frames.slice(0, warmUpCount))
  await settled(sentAtMs)
  latencies.length = 0
  const before = await cpuMs()
  await sendPaced(send, frames.slice(warmUpCount))
  await settled(sentAtMs)
  const cpu = ((await cpuMs()) - before) / latencies.length
  return { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99), cpu }
}

export interface Due {
  session: number
  seq: number
  atMs: number
}

/**
 * Every frame comes at a random moment of its own interval, as frames of cameras that know nothing of each other do.
 * The moments are the same in every run. Sessions are numbered through all groups.
 */
export function schedule(groups: readonly Group[], seconds: number): Due[] {
  const random = randomNumbers(1)
  const frames: Due[] = []
  let first = 0
  for (const { sessions, fps } of groups) {
    for (let seq = 0; seq < fps * seconds; seq++) {
      for (let session = first; session < first + sessions; session++)
        frames.push({ session, seq, atMs: ((seq + random()) / fps) * 1000 })
    }
    first += sessions
  }
  return frames.sort((a, b) => a.atMs - b.atMs)
}

export async function sendPaced(send: (frame: Due) => void, frames: readonly Due[]): Promise<void> {
  const startMs = performance.now() - (frames[0]?.atMs ?? 0)
  for (let next = 0; next < frames.length;) {
    const nowMs = performance.now() - startMs
    for (let frame = frames[next]; frame && frame.atMs <= nowMs; frame = frames[++next]) send(frame)
    await new Promise((resolve) => setTimeout(resolve, (frames[next]?.atMs ?? 0) - nowMs))
  }
}

async function settled(waiting: ReadonlyMap<string, number>): Promise<void> {
  const deadline = performance.now() + tailMs
  while (waiting.size > 0) {
    if (performance.now() > deadline) throw new Error(`${waiting.size} frames were never answered`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
