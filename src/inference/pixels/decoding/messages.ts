import type { Size } from '../../../maps/bilinear.ts'
import type { ErrorCode } from '../../../errors.ts'
import type { ValidFrame } from '../../../wire/frame.ts'
import type { PrepareOptions } from '../preprocess.ts'

/** Address space that a decoder and its supervisor share, not memory: the payload lies in front, what became of it behind. */
export const sharedBytes = 2 ** 28

/** File descriptor of that memory in the decoder: the place after its channel. */
export const memoryFd = 4

export interface DecodeRequest {
  header: ValidFrame['header']
  options: PrepareOptions
  /** Itself, or how many bytes of it lie in the memory. */
  payload: Uint8Array | number
}

/** Errors would lose their class on the way. */
export type DecodeAnswer = DecodedPicture | 'large' | { code: ErrorCode; detail: string }

export interface DecodedPicture {
  source: Size
  payloadDigest: string
  /** Of the guide, if one was wanted. */
  contrast: number | null
  /** null: both lie in the memory, behind the payload. */
  pixels: { rgb: Uint8Array; luma: Uint8Array } | null
}
