import { parseTyped } from '../wire/control-text.ts'
import type { ReadyMessage, ServerMessage } from '../wire/protocol.ts'
import type { Continuity, DropReason, ParkReason, ResetReason } from '../session.ts'
import type { Members } from './message-check.ts'
import {
  integer,
  nullable,
  number,
  object,
  oneOf,
  optional,
  shortText,
  text,
  truth
} from './message-check.ts'

/**
 * The schemas in src/wire/protocol.ts are what a server may say; with their library the client would be four times as large.
 * Their types ask here for a check of every member, and a test holds that both read and refuse the same.
 */
type ServerChecks = { readonly [M in ServerMessage as M['type']]: Members<Omit<M, 'type'>> }

const id = shortText(64)
const continuity = oneOf<Continuity>({ exact: true, rebuilt: true, new: true })
const parkReason = oneOf<ParkReason>({ idle: true, capacity: true })
/** Null: the executor does not say. */
const digest = nullable(text)

const limits = object<ReadyMessage['limits']>({
  maxInFlight: integer,
  maxFrameBytes: integer,
  maxPixels: integer,
  idleTimeoutMs: integer,
  graceMs: integer
})
const resumed = object<NonNullable<ReadyMessage['resumed']>>({
  ...{ continuity, digest, seq: integer, after: integer },
  replay: optional(object({ frames: integer, bytes: integer }))
})

const checks: ServerChecks = {
  ready: {
    ...{ session: text, resumeToken: text, epoch: integer, model: text, modelDigest: text, license: text },
    quantity: oneOf<ReadyMessage['quantity']>({ 'relative-inverse-depth': true, 'metric-depth': true }),
    ...{ mode: text, cacheSize: integer, limits, resumed: optional(resumed) },
    continued: optional(object<NonNullable<ReadyMessage['continued']>>({ continuity, digest, seq: integer }))
  },
  reset: {
    ...{ epoch: integer, seq: nullable(integer) },
    reason: oneOf<ResetReason>({ resolution: true, client: true, sceneCut: true })
  },
  recovered: {
    ...{ epoch: integer, seq: integer, continuity },
    alignment: optional(object({ scale: number, offset: number, residual: number }))
  },
  drop: {
    seq: integer,
    reason: oneOf<DropReason>({ superseded: true, closed: true, reset: true, unacknowledged: true }),
    seen: optional(truth)
  },
  updated: { id },
  flushed: { id, epoch: optional(integer), seq: optional(integer), digest: optional(digest) },
  checkpoint: {
    ...{ id, seq: optional(integer), bytes: optional(integer) },
    failure: optional(object({ code: text, detail: text, temporary: truth }))
  },
  pong: { id: optional(id) },
  notice: { reason: parkReason, bytes: integer, deadlineMs: integer },
  parked: { reason: parkReason, bytes: integer },
  advice: { fps: nullable(number), unsettled: integer },
  goAway: { timeLeftMs: integer },
  detached: { graceMs: integer },
  error: {
    ...{ code: text, title: text, detail: text, temporary: truth },
    ...{ seq: optional(integer), retryAfterMs: optional(integer) }
  },
  summary: { frames: integer, results: integer, drops: integer, errors: integer, seconds: number }
}

/**
 * Parse a server's text message; an unknown type gives null, so that an older client survives a newer server. Throws
 * MESSAGE_MALFORMED.
 */
export function parseServerMessage(text: string): ServerMessage | null {
  const { type, value } = parseTyped(text, null)
  if (!Object.hasOwn(checks, type)) return null
  object<object>(checks[type as keyof ServerChecks])(value, '')
  return value as ServerMessage
}
