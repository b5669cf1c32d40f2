import { setTimeout as delay } from 'node:timers/promises'
import { connectStream } from '../../src/client/index.ts'
import type { DepthStream } from '../../src/client/index.ts'
import { errorTitles } from '../../src/error-titles.ts'
import { LeadlineError } from '../../src/errors.ts'

/** Between two frames of a session, and so between two depth maps where nothing happens. */
export const frameMs = 100

/** A live session of the fake model and what came of it. */
export interface Viewer {
  index: number
  stream: DepthStream
  sent: number
  /** When each depth map came. */
  cameAtMs: number[]
  /** Of each outcome, in the order of coming. */
  seqs: number[]
  continuities: string[]
  /** When each of those was told. */
  toldAtMs: number[]
  /** Sends no more. */
  stop: () => void
}

/** What became of all frames. */
export interface Losses {
  sessions: number
  /** Frames that have no depth map. */
  frames: number
  /** Sessions with outcomes out of order. */
  disordered: number
  /** Moves and losses that were not exact. */
  inexact: number
}

/** Open so many, a little after one another, at these gateways in turn. */
export function openViewers(count: number, urls: readonly string[]): Promise<Viewer[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => watch(urls, i)))
}

/** End all of them, once what was sent has its outcome. */
export async function closeViewers(viewers: readonly Viewer[]): Promise<Losses> {
  for (const viewer of viewers) viewer.stop()
  const ends = await Promise.allSettled(viewers.map(({ stream }) => stream.close()))
  await delay(200)
  return {
    sessions: ends.filter(({ status }) => status === 'rejected').length,
    frames: viewers.reduce((sum, { sent, cameAtMs }) => sum + sent - cameAtMs.length, 0),
    disordered: viewers.filter(({ seqs }) => seqs.some((seq, i) => seq <= (seqs[i - 1] ?? -1))).length,
    inexact: viewers.flatMap((one) => one.continuities).filter((one) => one !== 'exact').length
  }
}

/** The longest time between two depth maps of each session that overlaps this stretch of time. */
export function gaps(viewers: readonly Viewer[], fromMs: number, toMs: number): number[] {
  return viewers.map(({ cameAtMs }) => {
    const between = cameAtMs.map((atMs, i) => ({ sinceMs: cameAtMs[i - 1] ?? atMs, atMs }))
    const last = { sinceMs: cameAtMs.at(-1) ?? fromMs, atMs: performance.now() }
    const overlapping = [...between, last].filter(({ sinceMs, atMs }) => atMs >= fromMs && sinceMs <= toMs)
    return Math.max(...overlapping.map(({ sinceMs, atMs }) => atMs - sinceMs))
  })
}

async function watch(urls: readonly string[], index: number): Promise<Viewer> {
  await delay(index * 20)
  const at = index % urls.length
  const continuities: string[] = []
  const toldAtMs: number[] = []
  const stream = await connectStream({
    url: [...urls.slice(at), ...urls.slice(0, at)],
    config: { model: 'fake', delivery: 'lossless', sceneCut: false },
    onConnection: (event) => {
      if (event.type !== 'recovered') return
      continuities.push(event.continuity)
      toldAtMs.push(performance.now())
    }
  })
  const outcomes = { sent: 0, cameAtMs: [], seqs: [], continuities, toldAtMs }
  const viewer: Viewer = { index, stream, ...outcomes, stop: () => {} }
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
    ? `${error.code} (${errorTitles[error.code]}): ${error.message}`
    : String(error)
}
