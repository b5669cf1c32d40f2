import { setTimeout as wait } from 'node:timers/promises'
import { Command, Option } from 'commander'
import { connectStream, streamUrl } from '../client/index.ts'
import { asLeadlineError, LeadlineError } from '../errors.ts'
import type { Delivery } from '../session.ts'
import { deliveries } from '../session.ts'
import { untilInterrupted } from './interrupt.ts'
import { loadPictures } from './load/load-pictures.ts'
import type { Picture } from './load/load-pictures.ts'
import { LoadReport } from './load/load-report.ts'
import type { LoadSummary } from './load/load-report.ts'
import { runLoad } from './load/load-session.ts'
import { positiveInteger } from './positive-integer.ts'
import { positiveNumber } from './positive-number.ts'
import { addKeyFile, keyFor } from './server-key.ts'
import type { KeyOption } from './server-key.ts'

interface BenchOptions extends KeyOption {
  sessions: number
  fps: number
  seconds: number
  video?: string
  delivery: Delivery
  json?: boolean
}

export function benchCommand(): Command {
  const command = new Command('bench')
    .description(
      'Load a server: sessions that send frames at a fixed rate, whatever it does, and how long each took from when it was due.'
    )
    .argument('<address>', 'of the server: host:port')
    .option('--sessions <number>', 'at once', positiveInteger, 1)
    .option('--fps <rate>', 'frames a second of each session', positiveNumber, 10)
    .option('--seconds <time>', 'how long frames are sent', positiveNumber, 10)
    .option(
      '--video <file>',
      'any video that ffmpeg reads, of which the first 120 frames; default: a clip drawn here'
    )
    .addOption(
      new Option('--delivery <kind>', 'latest drops frames where it must')
        .choices(deliveries)
        .default('latest')
    )
    .option('--json', 'the figures as one JSON document, as it is where the output is no terminal')
  return addKeyFile(command).action(async (address: string, options: BenchOptions) => {
    const key = await keyFor(options)
    const { json = false, ...load } = options
    const summary = await untilInterrupted(async (signal) => {
      const pictures = await loadPictures(load.video, signal)
      return bench({ ...load, url: streamUrl(address).href, key, pictures, signal })
    })
    for (const line of !json && process.stdout.isTTY ? linesOf(summary) : [JSON.stringify(summary)])
      console.log(line)
    if (summary.results === 0)
      throw new LeadlineError('CONNECTION_LOST', 'No depth map came; the figures above say why')
  })
}

interface Bench extends Pick<BenchOptions, 'sessions' | 'fps' | 'seconds' | 'delivery'> {
  url: string
  key: string | null
  pictures: readonly Picture[]
  signal: AbortSignal
}

/** Every session is open before the first frame is due. Throws what kept the first from being opened, if none could be. */
async function bench({
  sessions,
  fps,
  seconds,
  delivery,
  url,
  key,
  pictures,
  signal
}: Bench): Promise<LoadSummary> {
  const report = new LoadReport()
  const opened = await Promise.allSettled(
    Array.from({ length: sessions }, () =>
      connectStream({
        ...{ url, signal, config: { delivery }, credentials: key === null ? {} : { key } },
        onConnection: (event) => report.connection(event)
      })
    )
  )
  const streams = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  for (const one of opened) if (one.status === 'rejected') report.failed(asLeadlineError(one.reason))
  const [first] = opened
  if (streams.length === 0 && first?.status === 'rejected') throw first.reason
  const now = () => performance.now()
  const clock = { now, until: (atMs: number) => wait(Math.max(0, atMs - now()), undefined, { signal }) }
  const startMs = now()
  await Promise.all(
    streams.map(async (stream, i) => {
      // Spread over the time between two frames, as those of many cameras are.
      const plan = { startMs: startMs + (i * 1000) / (fps * streams.length), framesPerSecond: fps }
      const pictureOf = (frame: number) => pictures[(frame + i) % pictures.length]!
      const frames = Math.max(1, Math.round(fps * seconds))
      const onOutcome = (loaded: Parameters<typeof report.outcome>[0]) => report.outcome(loaded, now())
      await runLoad(stream, { ...plan, frames, pictureOf }, { clock, onOutcome }).catch((error: unknown) => {
        stream.abort(error)
        signal.throwIfAborted()
        report.failed(asLeadlineError(error))
      })
    })
  )
  return report.summary({ sessions, framesPerSecond: fps, seconds }, startMs)
}

function linesOf(summary: LoadSummary): string[] {
  const { sessions, framesPerSecond, seconds, results, achievedFps, latencyMs, continuity, reconnects } =
    summary
  const { p50, p90, p95, p99, p999, max } = latencyMs
  return [
    `${sessions} sessions at ${framesPerSecond} fps for ${seconds} s: ${results} depth maps, ${achievedFps} a second`,
    `latency from when a frame was due: p50 ${p50}, p90 ${p90}, p95 ${p95}, p99 ${p99}, p99.9 ${p999}, max ${max} ms`,
    `drops: ${counts(summary.drops)} · errors: ${counts(summary.errors)} · sessions that failed: ${counts(summary.failed)}`,
    `reconnects: ${reconnects} · continuity: ${counts({ ...continuity })}`
  ]
}

function counts(named: Record<string, number>): string {
  const found = Object.entries(named).filter(([, number]) => number > 0)
  return found.length === 0 ? 'none' : found.map(([name, number]) => `${name} ${number}`).join(', ')
}
