import type { Codec } from '../wire/frame.ts'
import type { OutputConfig } from '../wire/output.ts'
import type { ReadyMessage, SummaryMessage } from '../wire/protocol.ts'
import type { SessionConfig } from '../session.ts'
import type { DepthResult, Outcome } from './outcome.ts'

export interface FrameInput {
  /** An encoded image, or pixels row by row. */
  data: Uint8Array
  codec: Exclude<Codec, 'raw' | 'deflate'>
  /** In pixels; needed for rgb24 and nv12. */
  width?: number
  height?: number
  /** Your clock, in microseconds; comes back in the result's header. @default time of sending */
  timestampUs?: number
}

/** What a session is taken up with again, by another stream: JSON will do to keep it. Whoever has it has the session. */
export interface StreamHandle {
  session: string
  /** Good until the session is resumed: then there is another. */
  token: string
  /** Of the last outcome that came; -1 and 0 before the first. */
  seq: number
  epoch: number
  delivery: SessionConfig['delivery'] | undefined
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
  /**
   * Have the depth maps of the frames that follow in another way: `output` as in the config, what is left out by default.
   * Resolves when every frame sent before has its outcome here. Throws CONFIG_INVALID, which ends the stream.
   */
  update(output: OutputConfig): Promise<void>
  /** Forget the past: the next frame starts a new epoch. */
  reset(): void
  /**
   * What another stream goes on from, as bytes: `connectStream`'s `context`. It stands behind the outcome of every frame
   * sent before. Throws CONTEXT_TOO_LARGE, and WORKER_LOST and the like, after which it may be asked for again.
   */
  checkpoint(): Promise<Uint8Array>
  /**
   * As it is now: `connectStream`'s `resume` takes the session up with it, here or elsewhere, for as long as the server keeps
   * the session without a client, `ready.limits.graceMs`. Whoever resumes it has it from then on.
   */
  readonly handle: StreamHandle
  /**
   * Leave the session to whoever resumes it with this handle. Behind all that was sent; frames without an outcome have
   * theirs there. What came before stays readable here. Throws REQUEST_INVALID where the server would not keep the session.
   */
  detach(): Promise<StreamHandle>
  /** Send nothing more, wait for every outcome, and end. What was not read yet stays readable. */
  close(): Promise<SummaryMessage>
  /** End at once; frames without outcome fail. After `close` has resolved it does nothing. */
  abort(reason?: unknown): void
}
