import { LeadlineError } from '../../errors.ts'
import type { FrameLimits, ValidFrame } from '../../wire/frame.ts'
import { checkFrame, decodeFrame } from '../../wire/frame.ts'
import type { Delivery } from '../../session.ts'
import { admit } from './admission.ts'
import type { DepthlessOutcome } from '../../sessions/index.ts'

export type Verdict = { kind: 'frame'; frame: ValidFrame } | { kind: 'outcome'; outcome: DepthlessOutcome }

export interface FrameGateOptions {
  delivery: Delivery
  maxInFlight: number
  limits: FrameLimits
  /** Frames up to this seq came over another socket. */
  after?: number
}

/** The door that a frame comes through: its form, its order and the client's right to send it. */
export class FrameGate {
  readonly #delivery: Delivery
  readonly #maxInFlight: number
  readonly #limits: FrameLimits
  #lastSeq: number
  #warned = false

  constructor(options: FrameGateOptions) {
    this.#lastSeq = options.after ?? -1
    this.#delivery = options.delivery
    this.#maxInFlight = options.maxInFlight
    this.#limits = options.limits
  }

  /** Of the last frame that came; -1: none. */
  get lastSeq(): number {
    return this.#lastSeq
  }

  /**
   * The frame, or the outcome it has already. `unsettled` counts the frames before it without outcome.
   * Throws what ends the stream: FRAME_MALFORMED, FRAME_OUT_OF_ORDER, FLOW_CONTROL.
   */
  judge(message: Uint8Array, unsettled: number): Verdict {
    const frame = decodeFrame(message)
    const { seq } = frame.header
    if (seq <= this.#lastSeq) {
      throw new LeadlineError('FRAME_OUT_OF_ORDER', `seq ${seq} came after ${this.#lastSeq}; seq must rise`)
    }
    this.#lastSeq = seq
    const traffic = {
      delivery: this.#delivery,
      maxInFlight: this.#maxInFlight,
      unsettled,
      warned: this.#warned
    }
    const decision = admit(traffic)
    if (decision === 'end') throw this.#tooMany(unsettled)
    if (decision === 'submit') return this.#check(frame)
    this.#warned = true
    return refused(seq, this.#tooMany(unsettled))
  }

  #check(frame: ValidFrame): Verdict {
    try {
      checkFrame(frame, this.#limits)
      return { kind: 'frame', frame }
    } catch (error) {
      if (error instanceof LeadlineError && error.definition.close === null)
        return refused(frame.header.seq, error)
      throw error
    }
  }

  #tooMany(unsettled: number): LeadlineError {
    const limit = this.#delivery === 'lossless' ? `; at most ${this.#maxInFlight} are allowed` : ''
    return new LeadlineError(
      'FLOW_CONTROL',
      `${unsettled} frames have no outcome yet${limit}. Wait for outcomes.`
    )
  }
}

/** A frame that fails, and goes no further. */
export function refused(seq: number, { code, message }: LeadlineError): Verdict {
  return { kind: 'outcome', outcome: { type: 'error', seq, code, detail: message } }
}
