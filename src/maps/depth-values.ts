import { LeadlineError } from '../errors.ts'
import { decodeFloat16 } from './float16.ts'
import type { ValidFrame } from '../wire/frame.ts'

/**
 * The values of a depth map, height x width, in the header's quantity. Throws FRAME_UNSUPPORTED for the formats that are
 * pictures: png16, jpeg, webp.
 */
export function depthValues({ header, payload }: Pick<ValidFrame, 'header' | 'payload'>): Float32Array {
  const { codec, dtype, width, height, scale, offset } = header
  if (codec !== 'raw') {
    throw new LeadlineError(
      'FRAME_UNSUPPORTED',
      `A depth map as ${codec} has no values; ask for format u16, f16 or f32`
    )
  }
  const { stored, bytesEach } = storedValues(payload, dtype)
  if (stored.length !== width * height || payload.byteLength !== width * height * bytesEach) {
    throw new LeadlineError(
      'FRAME_MALFORMED',
      `A depth map of ${width}x${height} ${dtype} cannot have ${payload.byteLength} bytes`
    )
  }
  const values = new Float32Array(stored.length)
  for (let i = 0; i < values.length; i++) values[i] = (stored[i] ?? 0) * scale + offset
  return values
}

function storedValues(
  payload: Uint8Array,
  dtype: string
): { stored: Uint8Array | Uint16Array | Float32Array; bytesEach: number } {
  if (dtype === 'u8') return { stored: payload, bytesEach: 1 }
  // Copied, because a payload may begin at an odd address; not by `slice`, which of a Buffer is no copy.
  const { buffer } = Uint8Array.from(
    payload.subarray(0, payload.byteLength - (payload.byteLength % 4 === 0 ? 0 : payload.byteLength % 2))
  )
  if (dtype === 'f32')
    return { stored: new Float32Array(buffer, 0, Math.floor(buffer.byteLength / 4)), bytesEach: 4 }
  const words = new Uint16Array(buffer)
  return { stored: dtype === 'f16' ? decodeFloat16(words) : words, bytesEach: 2 }
}
