import { move, transferableSymbol, valueSymbol } from 'piscina'
import { asLeadlineError } from '../../errors.ts'
import type { ErrorCode } from '../../errors.ts'
import type { ValidFrame } from '../../wire/frame.ts'
import type { OutputOptions } from '../../wire/output.ts'
import { encodeDepth } from './postprocess.ts'
import type { DepthLabels, DepthMap } from './postprocess.ts'
import type { Decoded, PrepareOptions } from './preprocess.ts'
import { receiveFrame } from './received-frame.ts'
import type { ReceivedFrame } from './received-frame.ts'

/** What a thread of the pool is asked. Large arrays are moved, not copied. */
export type PixelTask =
  | {
      kind: 'prepare'
      header: ValidFrame['header']
      payload: Uint8Array<ArrayBuffer>
      options: PrepareOptions
    }
  | { kind: 'encode'; map: DepthMap; labels: DepthLabels; output: OutputOptions }

/** Errors would lose their class on the way. */
export type PixelAnswer<R> = { result: R } | { code: ErrorCode; detail: string }

export default async function answer(task: PixelTask): Promise<unknown> {
  try {
    return task.kind === 'prepare' ? await prepare(task) : await encode(task)
  } catch (error) {
    const { code, message } = asLeadlineError(error)
    return { code, detail: message } satisfies PixelAnswer<never>
  }
}

async function prepare({ header, payload, options }: PixelTask & { kind: 'prepare' }): Promise<unknown> {
  const { prepared, guide } = await receiveFrame({ header, payload, message: payload }, options)
  // Memory of libvips cannot be moved.
  const rgb = Uint8Array.from(prepared.rgb)
  const decoded = { prepared: { ...prepared, rgb }, guide }
  return moved<Decoded<ReceivedFrame>>(decoded, guide ? [rgb, guide.luma] : [rgb])
}

async function encode({ map, labels, output }: PixelTask & { kind: 'encode' }): Promise<unknown> {
  const message = await encodeDepth(map, labels, output)
  return moved(message, [message])
}

function moved<R>(result: R, large: readonly Uint8Array[]): unknown {
  const answer: PixelAnswer<R> = { result }
  const buffers = large.map(({ buffer }) => buffer)
  return move({ [transferableSymbol]: buffers, [valueSymbol]: answer } as unknown as ArrayBuffer)
}
