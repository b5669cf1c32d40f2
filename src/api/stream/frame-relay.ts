import type { ValidFrame } from '../../wire/frame.ts'
import { LatestSlot } from '../../latest-slot.ts'
import type { DepthlessOutcome, SessionHandle } from '../../sessions/index.ts'

/** Frames of `latest` that the session may have without an outcome; of those beyond, the newest waits here. */
const maxSubmitted = 16
/** The same of `adaptive`, whose frames wait in the engine: a queue that can be seen, and is not long. */
const maxAdaptive = 4
/** How often room is looked for while a frame waits; an outcome is looked at at once. */
const lookMs = 10

type FrameTaker = Pick<SessionHandle, 'options' | 'submit' | 'hasRoom' | 'settle'>

/**
 * Hands accepted frames on to the session, and what is known of others already, in the order of seq. Unless `lossless` no more
 * than it can use: old frames do not queue on the way.
 */
export class FrameRelay {
  readonly #session: FrameTaker
  /** Null with lossless, where the client counts. */
  readonly #latest: LatestSlot<ValidFrame> | null
  /** Frames that the session has and gave no outcome for. */
  readonly #submitted: Set<number>
  /** Outcomes of frames after the one that waits. */
  #behind: DepthlessOutcome[] = []

  /** `accepted` are frames that the session has already. */
  constructor(session: FrameTaker, accepted: readonly number[] = []) {
    this.#session = session
    this.#submitted = new Set(accepted)
    const most = session.options.delivery === 'adaptive' ? maxAdaptive : maxSubmitted
    this.#latest =
      session.options.delivery === 'lossless'
        ? null
        : new LatestSlot({
            hasRoom: () => this.#submitted.size < most && session.hasRoom,
            pass: (frame) => this.#pass(frame),
            supersede: ({ header: { seq } }) =>
              this.#settle([{ type: 'drop', seq, reason: 'superseded' }, ...this.#takeBehind()]),
            lookMs
          })
  }

  submit(frame: ValidFrame): void {
    if (this.#latest === null) this.#pass(frame)
    else this.#latest.put(frame)
  }

  /** A frame that has its outcome already. */
  settle(outcome: DepthlessOutcome): void {
    if (this.#latest?.isWaiting === true) this.#behind.push(outcome)
    else this.#settle([outcome])
  }

  /** The session gave an outcome. */
  settled(seq: number): void {
    this.#submitted.delete(seq)
    this.#latest?.look()
  }

  /** Hand on what waits: something follows that must come after it. */
  flush(): void {
    this.#latest?.flush()
  }

  /** Forget what waits. */
  stop(): void {
    this.#latest?.stop()
    this.#behind = []
  }

  #pass(frame: ValidFrame): void {
    this.#submitted.add(frame.header.seq)
    this.#session.submit(frame)
    this.#settle(this.#takeBehind())
  }

  #settle(outcomes: readonly DepthlessOutcome[]): void {
    for (const outcome of outcomes) this.#session.settle(outcome)
  }

  #takeBehind(): DepthlessOutcome[] {
    return this.#behind.splice(0)
  }
}
