import type { Codec } from '../../src/wire/frame.ts'
import { encodeMessage, kinds } from '../../src/wire/frame.ts'

/** An image as a frame of a stream. */
export function imageFrame(seq: number, codec: Codec, payload: Uint8Array): Uint8Array {
  return encodeMessage(
    {
      ...{ kind: kinds.frame, flags: 0, seq, timestampUs: seq * 1000, epoch: 0, codec, dtype: 'u8' },
      ...{ width: 0, height: 0, scale: 1, offset: 0, rangeMin: 0, rangeMax: 0 },
      ...{ quantity: 'none', queueUs: 0, computeUs: 0 }
    },
    payload
  )
}
