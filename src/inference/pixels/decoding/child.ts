import { layInto, serveRequests } from '../processes/serve-requests.ts'
import { SlowerThanLane } from '../preprocess.ts'
import { receiveFrame } from '../received-frame.ts'
import type { DecodeAnswer, DecodeRequest } from './messages.ts'

/** The decoder process: decodes one image after the other. */
serveRequests(answer)

async function answer(
  { header, options, payload: sent }: DecodeRequest,
  memory: Uint8Array<ArrayBuffer> | null
): Promise<DecodeAnswer> {
  const payload = (typeof sent === 'number' ? memory!.subarray(0, sent) : sent) as Uint8Array<ArrayBuffer>
  try {
    const { prepared, guide } = await receiveFrame({ header, payload, message: payload }, options)
    const { rgb, source, payloadDigest } = prepared
    const luma = guide?.luma ?? new Uint8Array(0)
    const isLaid =
      typeof sent === 'number' && layInto(memory, sent, rgb) && layInto(memory, sent + rgb.byteLength, luma)
    const pixels = isLaid ? null : { rgb, luma }
    return { source, payloadDigest, contrast: guide?.contrast ?? null, pixels }
  } catch (error) {
    if (error instanceof SlowerThanLane) return 'slow'
    throw error
  }
}
