import type { Static } from 'typebox'
import Type from 'typebox'
import type { ErrorCode } from '../errors.ts'
import { errorTitles } from '../error-titles.ts'
import { errorCodes, errorDefinition } from '../errors.ts'
import type { PublicFailure } from './failures.ts'

export const problemMediaType = 'application/problem+json'

/** A failure as RFC 9457 problem details. `code` is the same one a stream's `error` message carries. */
export const problemSchema = Type.Object(
  {
    type: Type.String({ description: 'urn:leadline:problem: and the code in lower case' }),
    title: Type.String({ description: 'What kind of failure this is; the same for every failure of a code' }),
    status: Type.Integer(),
    detail: Type.String({ description: 'Which value was refused, and what to do about it' }),
    code: Type.Enum(errorCodes, { description: 'docs/troubleshooting.md says of each what to do' }),
    temporary: Type.Boolean({ description: 'Whether the same request may succeed later' }),
    requestId: Type.String({ description: 'Quote this when asking the operator; the log has it too' }),
    retryAfterMs: Type.Optional(
      Type.Integer({ description: 'How long to wait; also in Retry-After, in seconds' })
    )
  },
  { $id: 'Problem', title: 'Problem', description: 'Problem details (RFC 9457)' }
)
export type Problem = Static<typeof problemSchema>

export function problemOf(failure: PublicFailure, requestId: string): Problem {
  const { code } = failure
  return { type: problemType(code), status: errorDefinition(code).status, ...failure, requestId }
}

function problemType(code: ErrorCode): string {
  return `urn:leadline:problem:${code.toLowerCase().replaceAll('_', '-')}`
}

/** How every route may fail. */
const everywhere: readonly ErrorCode[] = ['ORIGIN_FORBIDDEN', 'HOST_FORBIDDEN', 'INTERNAL']

/** What a route says about its failures in OpenAPI: one response per status, which names the codes behind it. */
export function problemResponses(...codes: ErrorCode[]): Record<number, object> {
  const responses: Record<number, object> = {}
  for (const [status, ofStatus] of byStatus(new Set([...codes, ...everywhere]))) {
    const isTemporary = status !== 500 && ofStatus.some((code) => errorDefinition(code).retryMs !== null)
    const headers = { ...(isTemporary ? retryHeader : {}), ...(status === 401 ? challengeHeader : {}) }
    responses[status] = {
      description: ofStatus.map((code) => `${code}: ${errorTitles[code]}`).join('; '),
      ...(Object.keys(headers).length === 0 ? {} : { headers }),
      content: { [problemMediaType]: { schema: Type.Ref('Problem#') } }
    }
  }
  return responses
}

/** The same of a route that asks for a key, which has to be read. */
export function guardedResponses(...codes: ErrorCode[]): Record<number, object> {
  return problemResponses(
    ...(['UNAUTHENTICATED', 'FORBIDDEN', 'LIMIT_REACHED', 'OVERLOADED'] as const),
    ...(['STORE_UNAVAILABLE', 'STORAGE_UNUSABLE'] as const),
    ...codes
  )
}

const retryHeader = {
  'Retry-After': { type: 'integer', description: 'Seconds to wait before trying again' }
}
const challengeHeader = {
  'WWW-Authenticate': { type: 'string', description: 'What is wanted, as RFC 6750 says' }
}

function byStatus(codes: ReadonlySet<ErrorCode>): Map<number, ErrorCode[]> {
  const groups = new Map<number, ErrorCode[]>()
  for (const code of codes) {
    const { status } = errorDefinition(code)
    groups.set(status, [...(groups.get(status) ?? []), code])
  }
  return groups
}
