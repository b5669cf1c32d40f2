import type { Codec } from '../frame.ts'
import type { ReadyMessage, SummaryMessage } from '../protocol.ts'
import type { SessionConfig } from '../session.ts'
import { openSocket } from './client-socket.ts'
import type { DepthResult, Outcome } from './outcome.ts'
import { SocketStream } from './socket-stream.ts'
import { streamUrl } from './server-url.ts'

export interface StreamOptions {
  /** `ws://host:port`, or the same with http, and any path in front of `/v1/stream`, which is added. */
  url: string | URL
  /** @default the server's defaults */
  config?: SessionConfig
  /** Ends the stream at once, whatever it is doing. */
  signal?: AbortSignal
  /** Results that may wait here unread before the server holds back. @default 8, with delivery latest 2 */
  readAhead?: number
}

export interface FrameInput {
  /** An encoded image, or pixels row by row. */
  data: Uint8Array
  codec: Exclude<Codec, 'raw'>
  /** In pixels; needed for rgb24 and nv12. */
  width?: number
  height?: number
  /** Your clock, in microseconds; comes back in the result's header. @default time of sending */
  timestampUs?: number
}

/**
 * A live stream. Read `results` (or `outcomes`) while sending: the server holds depth maps back for as long as they are
 * not read, and then, with delivery lossless, `send` waits. Failures are LeadlineErrors with the server's code.
 */
export interface DepthStream {
  readonly ready: ReadyMessage
  /** Frames sent whose outcome is not here yet. A camera may skip a frame when this is high. */
  readonly unsettled: number
  /**
   * Send a frame and get its seq. With delivery lossless it waits until the server has room; with latest a frame that the
   * network has no room for gives way to the next one, and its outcome is a drop. Throws FRAME_TOO_LARGE above the server's
   * `maxFrameBytes`.
   */
  send(frame: FrameInput): Promise<number>
  /** Depth maps in seq order, drops and failed frames left out. Shares its queue with `outcomes`: read one of them. */
  readonly results: AsyncIterable<DepthResult>
  /** What became of every frame, in seq order. */
  readonly outcomes: AsyncIterable<Outcome>
  /** Resolves when every frame sent before has its outcome here. */
  flush(): Promise<void>
  /** Forget the past: the next frame starts a new epoch. */
  reset(): void
  /** Send nothing more, wait for every outcome, and end. What was not read yet stays readable. */
  close(): Promise<SummaryMessage>
  /** End at once; frames without outcome fail. After `close` has resolved it does nothing. */
  abort(reason?: unknown): void
}

/**
 * Connect and open a session. Throws what the server refuses it with, CONNECTION_LOST, ANSWER_UNEXPECTED, or the signal's
 * reason.
 */
export async function connectStream(options: StreamOptions): Promise<DepthStream> {
  const { signal, config = {} } = options
  signal?.throwIfAborted()
  const socket = await openSocket(streamUrl(options.url), signal)
  const stream = new SocketStream(socket, config, options.readAhead)
  const onAbort = () => stream.abort(signal?.reason)
  signal?.addEventListener('abort', onAbort)
  socket.addEventListener('close', () => signal?.removeEventListener('abort', onAbort))
  if (signal?.aborted) onAbort()
  try {
    await stream.opened
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
  return stream
}
