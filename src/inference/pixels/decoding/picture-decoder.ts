import { availableParallelism } from 'node:os'
import { LeadlineError } from '../../../errors.ts'
import type { ValidFrame } from '../../../wire/frame.ts'
import { FairGate, nobody } from '../../fairness/fair-gate.ts'
import type { Asker } from '../../fairness/fair-gate.ts'
import type { Decoded, PrepareOptions } from '../preprocess.ts'
import type { ReceivedFrame } from '../received-frame.ts'
import { ProcessLane } from '../processes/process-lane.ts'
import { usualDecodingMs } from '../decoding-time.ts'
import { DecoderChild } from './decoder-child.ts'

export interface PictureDecoderOptions {
  /** What an image may take that is decoded beside live frames, by its head. @default `usualDecodingMs` */
  laneMs?: number
  /** @default 30_000 */
  workMs?: number
  /** @default 2 GiB */
  dataKib?: number
}

const workMs = 30_000
const dataKib = 2 * 2 ** 20
const most = 8
const behindOthers = 10

/**
 * Images of strangers, decoded in processes of their own: whatever one does to its decoder costs that one. Those that take
 * long have decoders of their own, which get what time the others leave: a file of some KB that becomes a picture of 33
 * million pixels makes no live frame wait. Whoever made one closes it.
 */
export class PictureDecoder {
  readonly #laneMs: number
  readonly #usual: ProcessLane<DecoderChild>
  readonly #slow: ProcessLane<DecoderChild>

  /** `slow` lets in those that take long. */
  constructor(options: PictureDecoderOptions = {}, slow = new FairGate(1)) {
    this.#laneMs = options.laneMs ?? usualDecodingMs
    const limits = { workMs, dataKib, ...options }
    const start = (niceness: number) => () => new DecoderChild({ ...limits, niceness })
    const cores = availableParallelism()
    const gate = new FairGate(Math.max(1, Math.min(most, cores - 1)))
    // One is there before the first frame.
    this.#usual = new ProcessLane({ start: start(0), min: 1, gate })
    this.#slow = new ProcessLane({ start: start(behindOthers), min: 0, gate: slow })
  }

  /** Those that live. For tests. */
  get pids(): number[] {
    return [...this.#usual.pids, ...this.#slow.pids]
  }

  /** As `receiveFrame` does, and FRAME_DECODE_FAILED for an image that ends its decoder, or takes it too long. */
  async decode(
    frame: ValidFrame,
    options: PrepareOptions,
    asker: Asker = nobody
  ): Promise<Decoded<ReceivedFrame>> {
    // By its head alone, before anything of it is decoded.
    const inLane = { ...options, laneMs: this.#laneMs }
    const decoded = await this.#usual.run(asker, (child) => child.decode(frame, inLane))
    if (decoded !== 'slow') return decoded
    const slow = await this.#slow.run(asker, (child) => child.decode(frame, options))
    if (slow !== 'slow') return slow
    throw new LeadlineError('INTERNAL', 'A decoder of slow images refused one for its time')
  }

  /** What is being decoded fails. Twice without harm. */
  async close(): Promise<void> {
    await Promise.all([this.#usual.close(), this.#slow.close()])
  }
}
