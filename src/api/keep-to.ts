import type { FastifyReply } from 'fastify'
import type { Standing } from '../access/index.ts'
import { LeadlineError } from '../errors.ts'

/**
 * Tell a client where it stands with what is counted (draft-ietf-httpapi-ratelimit-headers-11), and refuse what is beyond.
 * Throws LIMIT_REACHED. null: nothing was counted.
 */
export function keepTo(standing: Standing | null, what: string, reply: FastifyReply): void {
  if (standing === null) return
  const { isGranted, limit, remaining, resetMs } = standing
  reply.headers({
    'ratelimit-policy': `"${what}";q=${limit};w=60`,
    ratelimit: `"${what}";r=${remaining};t=${Math.ceil(resetMs / 1000)}`
  })
  if (isGranted) return
  // What is told is half of it or more.
  const options = { retryAfterMs: 2 * resetMs }
  throw new LeadlineError(
    'LIMIT_REACHED',
    `${limit} ${what} a minute are allowed, and there were more; wait`,
    options
  )
}
