import type { FrameMeter, FrameStages } from '../../metering/frame-stages.ts'
import type { OutputOptions } from '../../wire/output.ts'
import type { SessionEvent } from '../../session.ts'
import { frameError } from './frame-failure.ts'
import type { OrderedOutcomes, Pending } from './ordered-outcomes.ts'
import type { PixelWork } from '../pixels/pixel-work.ts'
import type { DepthLabels, DepthMap } from '../pixels/postprocess.ts'

export interface ResultEncoderOptions {
  /** Of the session. */
  id: string
  meter?: FrameMeter
  outcomes: OrderedOutcomes
  pixels: PixelWork
  /** Called whenever another result may be encoded. */
  onReady: () => void
}

/** A frame that waits for its outcome. */
export interface Awaiting {
  pending: Pending
  /** What precedes its outcome. */
  before: readonly SessionEvent[]
  stages: FrameStages
  output: OutputOptions
  /** Its share of the steps that it was in. */
  deviceMs: number
}

/** Results being encoded at a time; a slow encoder holds back the steps rather than pile up maps. */
const maxEncoding = 2

/** Makes the outcomes of one session out of its depth maps. */
export class ResultEncoder {
  readonly #options: ResultEncoderOptions
  #encoding = 0

  constructor(options: ResultEncoderOptions) {
    this.#options = options
  }

  get isBusy(): boolean {
    return this.#encoding >= maxEncoding
  }

  /** Takes the map's memory over. Never rejects: a map that cannot be encoded is that frame's error. */
  async encode(awaiting: Awaiting, map: DepthMap, labels: DepthLabels): Promise<void> {
    const { pending, before, output, stages, deviceMs } = awaiting
    const { id: sessionId, meter, outcomes, pixels, onReady } = this.#options
    const { seq } = labels
    const { width, height } = map.source
    const cost = { pixels: width * height, deviceUs: Math.round(deviceMs * 1000) }
    this.#encoding += 1
    stages.encodeBeganMs = performance.now()
    try {
      const message = await pixels.encode(map, labels, output)
      stages.encodeEndedMs = performance.now()
      meter?.framed({ sessionId, seq, stages })
      outcomes.settle(pending, ...before, { type: 'result', seq, message, cost })
    } catch (error) {
      outcomes.settle(pending, ...before, frameError(seq, error))
    }
    this.#encoding -= 1
    onReady()
  }
}
