import type { FastifyReply } from 'fastify'
import type { FrameFlow, SpentRate } from '../access/index.ts'
import { LeadlineError } from '../errors.ts'
import { megapixelsOfImage } from './stream/frame-pixels.ts'

/**
 * `work` on a single image, which counts with the frames of the streams of its key for as long as it lasts. Throws
 * LIMIT_REACHED, of a rate with RateLimit fields and the time until there is some again, and what `work` throws. `flow` is
 * ended; null: nothing is counted.
 */
export async function meteredImage<R>(
  flow: FrameFlow | null,
  image: Uint8Array,
  reply: FastifyReply,
  work: () => Promise<R>
): Promise<R> {
  try {
    const metered = { bytes: image.byteLength, megapixels: () => megapixelsOfImage(image) }
    const refusal = flow?.enter(0, metered)
    if (refusal) throw told(refusal, flow?.spent ?? null, reply)
    return await work()
  } finally {
    flow?.end()
  }
}

/** What counts, in whole numbers as RateLimit fields have them (draft-ietf-httpapi-ratelimit-headers-11). */
const counted = {
  framesPerSecond: { name: 'frames', perUnit: 1 },
  megapixelsPerSecond: { name: 'pixels', perUnit: 1e6 }
} as const

function told(refusal: LeadlineError, spent: SpentRate | null, reply: FastifyReply): LeadlineError {
  if (spent === null) return refusal
  const { name, perUnit } = counted[spent.of]
  const perSecond = spent.limit * perUnit
  const seconds = Math.ceil(Math.max(1, 1 / perSecond))
  reply.headers({
    'ratelimit-policy': `"${name}";q=${Math.max(1, Math.round(perSecond * seconds))};w=${seconds}`,
    ratelimit: `"${name}";r=0;t=${Math.ceil(spent.waitMs / 1000)}`
  })
  // What is told is half of it or more.
  const retryAfterMs = Math.max(refusal.definition.retryMs ?? 0, 2 * spent.waitMs)
  return new LeadlineError(refusal.code, refusal.message, { retryAfterMs })
}
