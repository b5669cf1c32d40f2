import type { Static } from 'typebox'
import Type from 'typebox'
import Value from 'typebox/value'
import { defaultPriority, highestPriority } from '../../session.ts'

const count = Type.Optional(Type.Integer({ minimum: 1 }))
const rate = Type.Optional(Type.Number({ exclusiveMinimum: 0 }))

/**
 * How much a key may use, beside what the server allows to anybody. What is absent has no limit of the key's own, but for the
 * priority: that is the usual one.
 */
export const keyLimitsSchema = Type.Object(
  {
    sessions: count,
    priority: Type.Optional(Type.Integer({ minimum: 0, maximum: highestPriority })),
    framesPerSecond: rate,
    megapixelsPerSecond: rate,
    bytesInFlight: count,
    clips: count,
    clipBytes: count,
    clipFrames: count,
    requestsPerMinute: count,
    ticketsPerMinute: count
  },
  { additionalProperties: false }
)
export type KeyLimits = Static<typeof keyLimitsSchema>

/** For people. */
export const limitMeanings: Readonly<Record<keyof KeyLimits, string>> = {
  sessions: 'sessions at once, kept ones too',
  priority: `highest that a session may have, 0 to ${highestPriority}; ${defaultPriority} unless said`,
  framesPerSecond: 'frames a second, of all streams and single images together',
  megapixelsPerSecond: 'megapixels a second, of all streams and single images together',
  bytesInFlight: 'bytes of frames that have no outcome yet',
  clips: 'clips that wait or run',
  clipBytes: 'bytes of a clip',
  clipFrames: 'frames of a clip',
  requestsPerMinute: 'HTTP requests a minute, handshakes too',
  ticketsPerMinute: 'tickets a minute'
}

/** One limit as `name=value`; null where it is none. */
export function parseLimit(text: string): KeyLimits | null {
  const [, name = '', value = ''] = /^(\w+)=([\d.]+)$/.exec(text) ?? []
  const limits = { [name]: Number(value) }
  return Value.Check(keyLimitsSchema, limits) ? limits : null
}
