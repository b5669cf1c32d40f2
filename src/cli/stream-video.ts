import type { SessionConfig } from '../session.ts'
import type { VideoWarning } from '../video/index.ts'
import { connectionLine } from './connection-line.ts'
import { readContextFile, writeContextFile } from './context-file.ts'
import type { DepthVideoPaths } from './depth-videos.ts'
import { checkFolderOf, DepthVideos } from './depth-videos.ts'
import type { FrameCodec } from './frame-encoder.ts'
import { untilInterrupted } from './interrupt.ts'
import { serverAt } from './own-server.ts'
import { createProgress } from './progress.ts'
import type { StreamSummary } from './stream-report.ts'
import { StreamReport } from './stream-report.ts'
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
  codec: FrameCodec
  maxInFlight: number
  videos: DepthVideoPaths
  isSilent: boolean
}

export interface StreamedVideo extends StreamSummary {
  /** The first failed frame and why; null when there was none. */
  firstError: string | null
  /** What is damaged in the video. */
  warnings: readonly VideoWarning[]
}

/** Stream a video through a server and write the videos asked for. Stops everything it started, whatever happens. */
export function streamVideo(options: StreamVideoOptions): Promise<StreamedVideo> {
  return untilInterrupted((signal) => run(options, signal))
}

async function run(options: StreamVideoOptions, signal: AbortSignal): Promise<StreamedVideo> {
  const { source, config, contextFiles = { from: null, to: null }, videos: paths } = options
  for (const filePath of [paths.depth, paths.sideBySide, contextFiles.to])
    if (filePath !== null) await checkFolderOf(filePath)
  const context = contextFiles.from === null ? undefined : await readContextFile(contextFiles.from)
  const { url, keyFile } = options
  const server = await serverAt({ url, keyFile, model: config.model })
  const videos = new DepthVideos(paths, source.fps)
  const progress = createProgress({ what: 'frames', total: source.frameCount, isSilent: options.isSilent })
  try {
    const report = new StreamReport(performance.now())
    let numDone = 0
    await runStream({
      ...options,
      url: server.url,
      key: server.key,
      context,
      signal,
      ...(contextFiles.to === null ? {} : { onContext: writeTo(contextFiles.to) }),
      onConnection(event) {
        report.connection(event)
        const line = connectionLine(event)
        if (line !== null) progress.say(line)
      },
      async onOutcome(outcome, frame) {
        report.add(outcome, performance.now())
        await videos.write(frame, outcome.type === 'result' ? outcome : null)
        progress.update(++numDone, `${report.fps} fps · latency ${Math.round(outcome.latencyMs)} ms`)
      }
    })
    await videos.close()
    reportWarnings(source.warnings, options.isSilent)
    return { ...report.summary(), firstError: report.firstError, warnings: source.warnings }
  } finally {
    progress.stop()
    await videos.abort()
    await server.close()
  }
}

function writeTo(filePath: string): (context: Uint8Array) => Promise<void> {
  return (context) => writeContextFile(filePath, context)
}
