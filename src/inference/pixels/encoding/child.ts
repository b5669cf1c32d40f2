import { layInto, serveRequests } from '../processes/serve-requests.ts'
import { encodeDepth } from '../postprocess.ts'
import { lengthsOf } from './messages.ts'
import type { EncodedMap, EncodeRequest } from './messages.ts'

/** The encoder process: encodes one map after the other. */
serveRequests(answer)

async function answer(
  { map, labels, output, pixels }: EncodeRequest,
  memory: Uint8Array<ArrayBuffer> | null
): Promise<EncodedMap> {
  const { depthBytes, lumaBytes } = lengthsOf(map)
  const { depth, luma } = pixels ?? {
    depth: new Float32Array(memory!.buffer, memory!.byteOffset, depthBytes / Float32Array.BYTES_PER_ELEMENT),
    luma: memory!.subarray(depthBytes, depthBytes + lumaBytes)
  }
  const guide = map.guide && { ...map.guide, luma }
  const message = await encodeDepth({ ...map, depth, guide }, labels, output)
  const isLaid = layInto(memory, depthBytes + lumaBytes, message)
  return { message: isLaid ? message.byteLength : message }
}
