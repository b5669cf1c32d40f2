import type { Size } from '../../../maps/bilinear.ts'
import type { ErrorCode } from '../../../errors.ts'
import type { ValidFrame } from '../../../wire/frame.ts'
import type { PrepareOptions } from '../preprocess.ts'

/** Between a decoder and its supervisor. In the memory of both the payload lies in front, what became of it behind. */

export interface DecodeRequest {
  header: ValidFrame['header']
  options: PrepareOptions
  /** Itself, or how many bytes of it lie in the memory. */
  payload: Uint8Array | number
}

/** Errors would lose their class on the way. */
export type DecodeAnswer = DecodedPicture | 'slow' | { code: ErrorCode; detail: string }

export interface DecodedPicture {
  source: Size
  payloadDigest: string
  /** Of the guide, if one was wanted. */
  contrast: number | null
  /** null: both lie in the memory, behind the payload. */
  pixels: { rgb: Uint8Array; luma: Uint8Array } | null
}
