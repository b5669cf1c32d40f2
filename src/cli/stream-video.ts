import type { SessionConfig } from '../session.ts'
import type { VideoWarning } from '../video/index.ts'
import { connectionLine } from './connection-line.ts'
import { readContextFile, writeContextFile } from './context-file.ts'
import type { OutputsOptions } from './depth-outputs.ts'
import { checkFolderOf, DepthOutputs } from './depth-outputs.ts'
import type { FrameCodec } from './frame-encoder.ts'
import { untilInterrupted } from './interrupt.ts'
import { serverAt } from './own-server.ts'
import { serveMjpeg } from './mjpeg-server.ts'
import { createProgress } from './progress.ts'
import { recorded } from './recording/recorded.ts'
import { onStopSignal } from './stop-signals.ts'
import type { StreamSummary } from './stream-report.ts'
import { StreamReport } from './stream-report.ts'
import type { StreamRun } from './stream-run.ts'
import { runStream } from './stream-run.ts'
import type { VideoSource } from './video-source.ts'
import { reportWarnings } from './video-warnings.ts'

/** Null: none. */
export interface ContextFiles {
  from: string | null
  to: string | null
}

export interface StreamVideoOptions {
  source: VideoSource
  /** A running server; undefined: one of our own. */
  url: string | undefined
  keyFile?: string | undefined
  config: SessionConfig
  contextFiles?: ContextFiles
  /** A recording; null: none. */
  recordTo?: string | null
  codec: FrameCodec
  maxInFlight: number
  files: Omit<OutputsOptions, 'fps'>
  /** Where depth is shown meanwhile, on this port of this machine; null: nowhere. */
  mjpegPort?: number | null
  /** Of a live source, for so long; null: until it is over. */
  seconds?: number | null
  isSilent: boolean
}

export interface StreamedVideo extends StreamSummary {
  /** The first failed frame and why; null when there was none. */
  firstError: string | null
  /** What is damaged in the video. */
  warnings: readonly VideoWarning[]
}

/** Stream a video through a server and write the files asked for. Stops everything it started, whatever happens. */
export function streamVideo(options: StreamVideoOptions): Promise<StreamedVideo> {
  const { live } = options.source
  return live === null ? untilInterrupted((signal) => run(options, signal)) : untilEnded(live, options)
}

/** A live source has no end of its own: Ctrl-C is one, and what was received is kept. A second one ends the process. */
async function untilEnded(live: { end(): void }, options: StreamVideoOptions): Promise<StreamedVideo> {
  const stopListening = onStopSignal(live.end)
  const { seconds = null } = options
  const timer = seconds === null ? undefined : setTimeout(live.end, seconds * 1000)
  try {
    return await run(options, new AbortController().signal)
  } finally {
    clearTimeout(timer)
    stopListening()
  }
}

async function run(options: StreamVideoOptions, signal: AbortSignal): Promise<StreamedVideo> {
  const { config, contextFiles = { from: null, to: null }, recordTo = null, files } = options
  for (const filePath of [...files.outputs.map((output) => output.path), contextFiles.to, recordTo])
    if (filePath !== null) await checkFolderOf(filePath)
  const context = contextFiles.from === null ? undefined : await readContextFile(contextFiles.from)
  const onContext = contextFiles.to === null ? {} : { onContext: writeTo(contextFiles.to) }
  const { url: address, keyFile } = options
  const server = await serverAt({ url: address, keyFile, model: config.model })
  const runAt = (url: string) => streamTo({ ...options, ...onContext, url, key: server.key, context, signal })
  try {
    return recordTo === null ? await runAt(server.url) : await recorded(server.url, recordTo, runAt)
  } finally {
    await server.close()
  }
}

type Ways = Pick<StreamRun, 'url' | 'key' | 'context' | 'signal' | 'onContext'>

async function streamTo(options: Omit<StreamVideoOptions, 'url'> & Ways): Promise<StreamedVideo> {
  const { source, files, mjpegPort = null } = options
  const outputs = new DepthOutputs({ ...files, fps: source.fps })
  const screen = mjpegPort === null ? null : await serveMjpeg(mjpegPort, files.colormap)
  const progress = createProgress({ what: 'frames', total: source.frameCount, isSilent: options.isSilent })
  if (screen !== null) progress.say(`depth is shown at ${screen.url}`)
  try {
    const report = new StreamReport(performance.now())
    let numDone = 0
    await runStream({
      ...options,
      onConnection(event) {
        report.connection(event)
        const line = connectionLine(event)
        if (line !== null) progress.say(line)
      },
      async onOutcome(outcome, frame) {
        report.add(outcome, performance.now())
        if (outcome.type === 'result' && report.frames === 1)
          for (const line of outputs.pipeLines(outcome)) progress.say(line)
        if (outcome.type === 'result') await screen?.show(outcome)
        await outputs.write(frame, outcome.type === 'result' ? outcome : null)
        progress.update(++numDone, `${report.fps} fps · latency ${Math.round(outcome.latencyMs)} ms`)
      }
    })
    await outputs.close()
    reportWarnings(source.warnings, options.isSilent)
    return { ...report.summary(), firstError: report.firstError, warnings: source.warnings }
  } finally {
    progress.stop()
    await Promise.all([outputs.abort(), screen?.close()])
  }
}

function writeTo(filePath: string): (context: Uint8Array) => Promise<void> {
  return (context) => writeContextFile(filePath, context)
}
