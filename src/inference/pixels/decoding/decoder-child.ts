import { entryBeside } from '../../../machine/entry-beside.ts'
import { LeadlineError } from '../../../errors.ts'
import type { ValidFrame } from '../../../wire/frame.ts'
import { PixelProcess, ProcessGone } from '../processes/pixel-process.ts'
import type { ProcessLimits } from '../processes/pixel-process.ts'
import type { LaneProcess } from '../processes/process-lane.ts'
import type { Decoded, PrepareOptions } from '../preprocess.ts'
import type { ReceivedFrame } from '../received-frame.ts'
import { networkSize } from '../resolution.ts'
import type { DecodeAnswer, DecodedPicture, DecodeRequest } from './messages.ts'

/** 'slow': it would take longer than it may here. */
export type DecodedOrSlow = Decoded<ReceivedFrame> | 'slow'

/** One life of a process that decodes one image at a time: what dies of an image costs that image. */
export class DecoderChild implements LaneProcess {
  readonly #process: PixelProcess<DecodeRequest, DecodeAnswer>

  constructor(limits: ProcessLimits) {
    this.#process = new PixelProcess(entryBeside(import.meta.url, 'child'), limits)
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  get isDead(): boolean {
    return this.#process.isDead
  }

  /** Of one frame at a time. Throws as `receiveFrame`, and FRAME_DECODE_FAILED where this process died of it. */
  async decode(frame: ValidFrame, options: PrepareOptions): Promise<DecodedOrSlow> {
    const { header, payload } = frame
    const { shared } = this.#process
    const isShared = shared !== null && (await shared.lay(0, payload))
    try {
      const answer = await this.#process.ask({
        ...{ header, options },
        payload: isShared ? payload.byteLength : payload
      })
      if (answer === 'slow') return answer
      if ('code' in answer) throw new LeadlineError(answer.code, answer.detail)
      const decoded = await this.#read(answer, frame, options)
      if (decoded !== null) return decoded
    } catch (error) {
      if (error instanceof ProcessGone) throw failure(frame, error)
      throw error
    }
    const lie = 'gave something else than it was asked for'
    this.#process.die(lie)
    throw failure(frame, new ProcessGone(lie, true))
  }

  /** Twice without harm. */
  end(): Promise<void> {
    return this.#process.end()
  }

  /** null: it is not what was asked for, as of a process that an image has taken over. */
  async #read(
    { source, payloadDigest, contrast, pixels }: DecodedPicture,
    { payload }: ValidFrame,
    options: PrepareOptions
  ): Promise<Decoded<ReceivedFrame> | null> {
    const { width, height } = source
    if (!(width > 0 && height > 0 && width * height <= options.maxPixels)) return null
    const size = networkSize(source, options.rule)
    const rgbBytes = size.width * size.height * 3
    const lumaBytes = contrast === null ? 0 : width * height
    const at = payload.byteLength
    const { shared } = this.#process
    const rgb = pixels ? pixels.rgb : await shared?.take(at, rgbBytes)
    const luma = pixels ? pixels.luma : await shared?.take(at + rgbBytes, lumaBytes)
    if (rgb?.byteLength !== rgbBytes || luma?.byteLength !== lumaBytes) return null
    const guide = contrast === null ? null : { luma, contrast, width, height }
    return { prepared: { rgb, size, source, payloadDigest }, guide }
  }
}

function failure({ header }: ValidFrame, { message: how, wasReady }: ProcessGone): LeadlineError {
  const { codec, seq } = header
  // Before it was ready it had not seen the image.
  return wasReady
    ? new LeadlineError('FRAME_DECODE_FAILED', `Frame ${seq} as ${codec}: its decoder ${how}`)
    : new LeadlineError('EXECUTOR_FAILED', `The decoder of images ${how} before it was ready`)
}
