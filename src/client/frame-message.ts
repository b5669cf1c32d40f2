import { LeadlineError } from '../errors.ts'
import type { Header } from '../wire/frame.ts'
import { encodeMessage, headerBytes, kinds } from '../wire/frame.ts'
import type { FrameInput } from './depth-stream.ts'

/** A frame as it goes over the wire. */
export function frameMessage(
  seq: number,
  { data, codec, width = 0, height = 0, timestampUs = Date.now() * 1000 }: FrameInput
): Uint8Array<ArrayBuffer> {
  const header: Header = {
    kind: kinds.frame,
    flags: 0,
    seq,
    timestampUs,
    epoch: 0,
    codec,
    dtype: 'u8',
    width,
    height,
    scale: 1,
    offset: 0,
    rangeMin: 0,
    rangeMax: 0,
    quantity: 'none',
    queueUs: 0,
    computeUs: 0
  }
  return encodeMessage(header, data)
}

/** Throws FRAME_TOO_LARGE. */
export function refuseTooLarge({ data }: FrameInput, maxFrameBytes: number): void {
  const bytes = data.byteLength + headerBytes
  if (bytes <= maxFrameBytes) return
  throw new LeadlineError(
    'FRAME_TOO_LARGE',
    `A frame of ${bytes} bytes with its header; the server takes at most ${maxFrameBytes}. Send it smaller, or as jpeg`
  )
}
