import type { ConnectionEvent, DepthResult, DepthStream, VideoSource } from '../../client/index.ts'
import { connectStream } from '../../client/index.ts'
import type { SessionConfig } from '../../session.ts'
import type { Server } from '../server.ts'
import { Gate } from './gate.ts'

/** A depth map and the very picture that it is of. Whoever takes it closes the picture. */
export interface ShownFrame {
  depth: DepthResult
  picture: ImageBitmap
}

export interface LiveRunOptions {
  server: Server
  config: SessionConfig
  source: VideoSource
  onFrame(frame: ShownFrame): void
  onConnection(event: ConnectionEvent): void
}

/** A server gives up a session from which it hears nothing for a minute, by default. */
const callMs = 20_000

/** A video on its way to the server, and its depth on the way back. */
export class LiveRun {
  /** Resolves after `stop`, or when the video ends; rejects with what ended it otherwise. */
  readonly ended: Promise<void>
  readonly #stream: DepthStream
  readonly #options: LiveRunOptions
  readonly #over = new AbortController()
  readonly #gate = new Gate()
  /** The pictures whose depth is not here yet, as JPEG, by seq. */
  readonly #sent = new Map<number, Blob>()
  #calls: number | null = null

  private constructor(stream: DepthStream, options: LiveRunOptions) {
    this.#stream = stream
    this.#options = options
    this.ended = Promise.all([this.#send(), this.#read()])
      .catch((error: unknown) => {
        if (!this.#over.signal.aborted) throw error
      })
      .then(() => undefined)
      .finally(() => this.stop())
  }

  /** Connect and begin. Throws what `connectStream` throws. */
  static async start(options: LiveRunOptions): Promise<LiveRun> {
    const { server, config, onConnection } = options
    const { url, credentials } = server
    return new LiveRun(await connectStream({ url, config, credentials, onConnection }), options)
  }

  get ready(): DepthStream['ready'] {
    return this.#stream.ready
  }

  get isPaused(): boolean {
    return this.#gate.isShut
  }

  /** Send nothing for a while; the server is told that somebody is still there. */
  pause(): void {
    this.#gate.shut()
    this.#options.source.video.pause()
    this.#calls ??= window.setInterval(() => void this.#stream.flush().catch(() => undefined), callMs)
  }

  async resume(): Promise<void> {
    if (this.#calls !== null) clearInterval(this.#calls)
    this.#calls = null
    await this.#options.source.video.play()
    this.#gate.open()
  }

  /** Twice without harm. The source stays open. */
  stop(): void {
    if (this.#calls !== null) clearInterval(this.#calls)
    this.#over.abort()
    this.#gate.open()
    this.#stream.abort()
    this.#sent.clear()
  }

  async #send(): Promise<void> {
    const { signal } = this.#over
    for await (const frame of this.#options.source.frames(signal)) {
      await this.#gate.passed
      if (signal.aborted) return
      const seq = await this.#stream.send(frame)
      this.#sent.set(seq, new Blob([frame.data as Uint8Array<ArrayBuffer>], { type: 'image/jpeg' }))
    }
  }

  async #read(): Promise<void> {
    for await (const outcome of this.#stream.outcomes) {
      const jpeg = this.#sent.get(outcome.seq)
      this.#sent.delete(outcome.seq)
      if (outcome.type !== 'result' || jpeg === undefined) continue
      const picture = await createImageBitmap(jpeg)
      // It may have been stopped meanwhile.
      if (this.#over.signal.aborted) return picture.close()
      this.#options.onFrame({ depth: outcome, picture })
    }
  }
}
