import { LeadlineError } from '../../errors.ts'
import type { FrameLimits, ValidFrame } from '../../wire/frame.ts'
import { checkFrame, decodeFrame, flags } from '../../wire/frame.ts'
import type { WantedPast } from '../../sessions/index.ts'

/** The frames of the past that a client was asked for, until it has sent them. */
export class History {
  readonly #wanted: WantedPast
  readonly #limits: FrameLimits
  readonly #frames: ValidFrame[] = []
  #bytes = 0

  constructor(wanted: WantedPast, limits: FrameLimits) {
    this.#wanted = wanted
    this.#limits = limits
  }

  /** False: the message is no frame of the past. Throws what ends the stream. */
  take(message: Uint8Array): boolean {
    const frame = decodeFrame(message)
    if ((frame.header.flags & flags.history) === 0) return false
    this.#checkOrder(frame)
    checkPast(frame, this.#limits)
    this.#bytes += message.byteLength
    if (this.#frames.length === this.#wanted.frames || this.#bytes > this.#wanted.bytes) {
      const { frames, bytes } = this.#wanted
      throw new LeadlineError(
        'FLOW_CONTROL',
        `More of the past came than the ${frames} frames and ${bytes} bytes asked for`
      )
    }
    this.#frames.push(frame)
    return true
  }

  /** All there is has come. */
  give(): void {
    this.#wanted.give(this.#frames)
  }

  #checkOrder({ header: { seq } }: ValidFrame): void {
    const last = this.#frames.at(-1)?.header.seq ?? -1
    if (seq > last) return
    throw new LeadlineError('FRAME_OUT_OF_ORDER', `seq ${seq} of the past came after ${last}; oldest first`)
  }
}

/** It had a depth map once: one that cannot have one is not that frame. */
function checkPast(frame: ValidFrame, limits: FrameLimits): void {
  try {
    checkFrame(frame, limits)
  } catch (error) {
    throw new LeadlineError('FRAME_MALFORMED', `A frame of the past: ${(error as Error).message}`)
  }
}
