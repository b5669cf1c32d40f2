import type { ValidFrame } from '../../frame.ts'
import { LatestSlot } from '../../latest-slot.ts'
import type { Delivery } from '../../session.ts'
import type { SessionHandle } from '../../sessions/index.ts'

/** Frames of `latest` that the session may have without an outcome; of those beyond, the newest waits here. */
const maxSubmitted = 16
/** How often room is looked for while a frame waits; an outcome is looked at at once. */
const lookMs = 10

export interface FrameRelayOptions {
  session: Pick<SessionHandle, 'submit' | 'hasRoom'>
  delivery: Delivery
  /** The frame never went to the session, for a newer one took its place. */
  onSuperseded: (seq: number) => void
}

/** Hands accepted frames on to the session. With `latest` no more than it can use: old frames do not queue on the way. */
export class FrameRelay {
  readonly #options: FrameRelayOptions
  /** Null with lossless, where the client counts. */
  readonly #latest: LatestSlot<ValidFrame> | null
  /** Frames that the session has and gave no outcome for. */
  #submitted = 0

  constructor(options: FrameRelayOptions) {
    const { session, delivery, onSuperseded } = options
    this.#options = options
    this.#latest =
      delivery === 'lossless'
        ? null
        : new LatestSlot({
            hasRoom: () => this.#submitted < maxSubmitted && session.hasRoom,
            pass: (frame) => this.#pass(frame),
            supersede: ({ header }) => onSuperseded(header.seq),
            lookMs
          })
  }

  submit(frame: ValidFrame): void {
    if (this.#latest === null) this.#pass(frame)
    else this.#latest.put(frame)
  }

  /** The session gave an outcome. */
  settled(): void {
    this.#submitted--
    this.#latest?.look()
  }

  /** Hand on what waits: something follows that must come after it. */
  flush(): void {
    this.#latest?.flush()
  }

  /** Forget what waits. */
  stop(): void {
    this.#latest?.stop()
  }

  #pass(frame: ValidFrame): void {
    this.#submitted++
    this.#options.session.submit(frame)
  }
}
