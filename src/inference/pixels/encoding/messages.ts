import type { ErrorCode } from '../../../errors.ts'
import type { Guide } from '../../../maps/guide.ts'
import type { OutputOptions } from '../../../wire/output.ts'
import type { DepthLabels, DepthMap } from '../postprocess.ts'

/**
 * Between an encoder and its supervisor. In the memory of both the map lies in front, then the brightness of its guide, then
 * the message that became of them.
 */

export interface EncodeRequest {
  map: Omit<DepthMap, 'depth' | 'guide'> & { guide: Omit<Guide, 'luma'> | null }
  labels: DepthLabels
  output: OutputOptions
  /** null: both lie in the memory, as long as `map` says. */
  pixels: { depth: Float32Array; luma: Uint8Array } | null
}

/** Errors would lose their class on the way. */
export type EncodeAnswer = EncodedMap | { code: ErrorCode; detail: string }

export interface EncodedMap {
  /** Itself, or how many bytes of it lie in the memory. */
  message: Uint8Array<ArrayBuffer> | number
}

export function lengthsOf({ size, guide }: EncodeRequest['map']): { depthBytes: number; lumaBytes: number } {
  return {
    depthBytes: size.width * size.height * Float32Array.BYTES_PER_ELEMENT,
    lumaBytes: guide ? guide.width * guide.height : 0
  }
}
