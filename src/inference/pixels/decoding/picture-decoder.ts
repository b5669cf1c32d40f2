import { availableParallelism } from 'node:os'
import { LeadlineError } from '../../../errors.ts'
import type { ValidFrame } from '../../../wire/frame.ts'
import { nobody } from '../../fairness/fair-gate.ts'
import type { Asker } from '../../fairness/fair-gate.ts'
import type { Decoded, PrepareOptions } from '../preprocess.ts'
import type { ReceivedFrame } from '../received-frame.ts'
import { DecoderLane } from './decoder-lane.ts'

export interface PictureDecoderOptions {
  /** What an image may have that is decoded beside live frames. @default 4096 x 2160 */
  lanePixels?: number
  /** @default 30_000 */
  decodeMs?: number
  /** @default 2 GiB */
  dataKib?: number
}

/** The largest frame of a camera. */
const usualPixels = 4096 * 2160
const decodeMs = 30_000
const dataKib = 2 * 2 ** 20
const most = 8
const behindOthers = 10

/**
 * Images of strangers, decoded in processes of their own: whatever one does to its decoder costs that one. Those that are
 * larger than cameras give have decoders of their own, which get what time the others leave: a file of some KB that becomes
 * a picture of 33 million pixels makes no live frame wait. Whoever made one closes it.
 */
export class PictureDecoder {
  readonly #lanePixels: number
  readonly #usual: DecoderLane
  readonly #large: DecoderLane

  constructor(options: PictureDecoderOptions = {}) {
    this.#lanePixels = options.lanePixels ?? usualPixels
    const limits = { decodeMs, dataKib, ...options }
    const cores = availableParallelism()
    const max = Math.max(1, Math.min(most, cores - 1))
    // One is there before the first frame.
    this.#usual = new DecoderLane({ ...limits, niceness: 0, min: 1, max })
    this.#large = new DecoderLane({ ...limits, niceness: behindOthers, min: 0, max: Math.ceil(max / 4) })
  }

  /** Those that live. For tests. */
  get pids(): number[] {
    return [...this.#usual.pids, ...this.#large.pids]
  }

  /** As `receiveFrame` does, and FRAME_DECODE_FAILED for an image that ends its decoder, or takes it too long. */
  async decode(
    frame: ValidFrame,
    options: PrepareOptions,
    asker: Asker = nobody
  ): Promise<Decoded<ReceivedFrame>> {
    // By its head alone, before anything of it is decoded.
    const decoded = await this.#usual.decode(frame, { ...options, lanePixels: this.#lanePixels }, asker)
    if (decoded !== 'large') return decoded
    const large = await this.#large.decode(frame, options, asker)
    if (large !== 'large') return large
    throw new LeadlineError('INTERNAL', 'A decoder of large images refused one for its size')
  }

  /** What is being decoded fails. Twice without harm. */
  async close(): Promise<void> {
    await Promise.all([this.#usual.close(), this.#large.close()])
  }
}
