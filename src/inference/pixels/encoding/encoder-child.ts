import { entryBeside } from '../../../machine/entry-beside.ts'
import { LeadlineError } from '../../../errors.ts'
import type { OutputOptions } from '../../../wire/output.ts'
import { PixelProcess, ProcessGone } from '../processes/pixel-process.ts'
import type { ProcessLimits } from '../processes/pixel-process.ts'
import type { LaneProcess } from '../processes/process-lane.ts'
import type { DepthLabels, DepthMap } from '../postprocess.ts'
import { lengthsOf } from './messages.ts'
import type { EncodeAnswer, EncodeRequest } from './messages.ts'

/** One life of a process that encodes one map at a time. */
export class EncoderChild implements LaneProcess {
  readonly #process: PixelProcess<EncodeRequest, EncodeAnswer>

  constructor(limits: ProcessLimits) {
    this.#process = new PixelProcess(entryBeside(import.meta.url, 'child'), limits)
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  get isDead(): boolean {
    return this.#process.isDead
  }

  /** Of one map at a time. Throws as `encodeDepth`, and EXECUTOR_FAILED where this process ended meanwhile. */
  async encode(
    { depth, guide, ...rest }: DepthMap,
    labels: DepthLabels,
    output: OutputOptions
  ): Promise<Uint8Array> {
    const luma = guide?.luma ?? new Uint8Array(0)
    const { width, height, contrast } = guide ?? { width: 0, height: 0, contrast: 0 }
    const map = { ...rest, guide: guide && { width, height, contrast } }
    const { depthBytes, lumaBytes } = lengthsOf(map)
    const { shared } = this.#process
    const bytes = new Uint8Array(depth.buffer, depth.byteOffset, depth.byteLength)
    const isShared = shared !== null && (await shared.lay(0, bytes)) && (await shared.lay(depthBytes, luma))
    try {
      const pixels = isShared ? null : { depth, luma }
      const answer = await this.#process.ask({ map, labels, output, pixels })
      if ('code' in answer) throw new LeadlineError(answer.code, answer.detail)
      const { message } = answer
      if (typeof message !== 'number') return message
      const taken = await shared?.take(depthBytes + lumaBytes, message)
      if (taken) return taken
    } catch (error) {
      if (!(error instanceof ProcessGone)) throw error
      throw new LeadlineError(
        'EXECUTOR_FAILED',
        `Frame ${labels.seq}: the encoder of its map ${error.message}`
      )
    }
    throw new LeadlineError('EXECUTOR_FAILED', `Frame ${labels.seq}: the encoder of its map was ended`)
  }

  /** Twice without harm. */
  end(): Promise<void> {
    return this.#process.end()
  }
}
