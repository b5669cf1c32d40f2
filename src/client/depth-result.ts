import { depthValues } from '../maps/depth-values.ts'
import { LeadlineError } from '../errors.ts'
import type { ValidFrame } from '../wire/frame.ts'
import { flags } from '../wire/frame.ts'
import { fromPlanes } from '../wire/u16-planes.ts'
import type { DepthResult } from './outcome.ts'

export function depthResult(
  { header, payload }: Pick<ValidFrame, 'header' | 'payload'>,
  latencyMs: number
): DepthResult {
  const isBlank = (header.flags & flags.blank) !== 0
  // Of the payload that it has by then: it may have come compressed.
  const values = () => depthValues(result)
  const result: DepthResult = { type: 'result', seq: header.seq, latencyMs, header, payload, isBlank, values }
  return result
}

/** Make a depth map that came compressed one that came plain. Throws FRAME_MALFORMED. */
export async function inflate(result: DepthResult): Promise<void> {
  const { header, payload } = result
  if (header.codec !== 'deflate') return
  try {
    const { body } = new Response(payload as BodyInit)
    const planes = await new Response(body!.pipeThrough(new DecompressionStream('deflate'))).arrayBuffer()
    result.payload = new Uint8Array(fromPlanes(new Uint8Array(planes), header.width).buffer)
    header.codec = 'raw'
  } catch (cause) {
    throw new LeadlineError('FRAME_MALFORMED', 'A depth map is damaged', {
      cause
    })
  }
}
