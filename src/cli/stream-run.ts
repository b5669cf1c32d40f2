import { setTimeout as sleep } from 'node:timers/promises'
import type { ConnectionEvent, DepthStream, Outcome } from '../client/index.ts'
import { connectStream } from '../client/index.ts'
import type { SessionConfig } from '../session.ts'
import type { VideoFrame } from '../video/index.ts'
import type { FrameCodec } from './frame-encoder.ts'
import { encodeFrame } from './frame-encoder.ts'
import { InFlightLimit } from './in-flight-limit.ts'
import type { VideoSource } from './video-source.ts'

export interface StreamRun {
  url: string
  /** Shown to the server; null: none. */
  key: string | null
  config: SessionConfig
  source: VideoSource
  codec: FrameCodec
  /** What the session goes on from. */
  context?: Uint8Array | undefined
  /** Frames on their way at once, at most; fewer mean less latency. @default as many as the server allows */
  maxInFlight: number
  signal: AbortSignal
  onConnection?(event: ConnectionEvent): void
  /** Given what another stream goes on from, at the end. */
  onContext?(context: Uint8Array): Promise<void>
  /** Called for every frame, in order; the next one waits for it. */
  onOutcome(outcome: Outcome, frame: VideoFrame): Promise<void> | void
}

/** Stream a source through a server: with delivery lossless as fast as it goes, else a file at its own pace, like a camera. */
export async function runStream(run: StreamRun): Promise<void> {
  const { url, key, config, context, signal, onConnection = () => undefined } = run
  const credentials = key === null ? {} : { key }
  const stream = await connectStream({
    ...{ url, config, credentials, signal, onConnection },
    ...(context && { context })
  })
  const frames = new Map<number, VideoFrame>()
  const limit = new InFlightLimit(run.maxInFlight)
  try {
    await Promise.all([
      sendAll(run, stream, frames, limit).catch(stop(stream)),
      readAll(run, stream, frames, limit)
    ])
  } finally {
    stream.abort()
  }
}

function stop(stream: DepthStream): (error: unknown) => never {
  return (error) => {
    stream.abort(error)
    throw error
  }
}

async function sendAll(
  { source, codec, config, signal, onContext }: StreamRun,
  stream: DepthStream,
  frames: Map<number, VideoFrame>,
  limit: InFlightLimit
): Promise<void> {
  const startMs = performance.now()
  let seq = (stream.ready.continued?.seq ?? -1) + 1
  let startUs: number | null = null
  for await (const frame of source.frames()) {
    const encoded = await encodeFrame(frame, codec)
    startUs ??= frame.timestampUs
    if (config.delivery !== 'lossless' && source.live === null) {
      const dueMs = startMs + (frame.timestampUs - startUs) / 1000
      await sleep(dueMs - performance.now(), undefined, { signal })
    }
    await limit.enter()
    frames.set(seq++, frame)
    await stream.send({ ...encoded, timestampUs: frame.timestampUs })
  }
  if (onContext) await onContext(await stream.checkpoint())
  await stream.close()
}

async function readAll(
  { onOutcome }: StreamRun,
  stream: DepthStream,
  frames: Map<number, VideoFrame>,
  limit: InFlightLimit
): Promise<void> {
  for await (const outcome of stream.outcomes) {
    const frame = frames.get(outcome.seq)
    frames.delete(outcome.seq)
    limit.leave()
    if (frame !== undefined) await onOutcome(outcome, frame)
  }
}
