import type { SavedContext } from '../../wire/context-bytes.ts'
import { LeadlineError } from '../../errors.ts'
import type { PublicFailure } from '../failures.ts'
import type { ReadyMessage, ServerMessage } from '../../wire/protocol.ts'
import { parseClientMessage } from '../../wire/protocol.ts'
import type { ClientMessage } from '../../wire/protocol.ts'
import type { OpenedSession } from '../../session.ts'
import type { ResumedSession, SessionHandle } from '../../sessions/index.ts'
import { shortDigest } from '../../wire/state-digest.ts'
import type { Outgoing } from './outbox.ts'

/** Control messages are small; a larger one is a frame that was sent as text by mistake. */
const maxTextBytes = 65_536

export function readMessage(text: Uint8Array): ClientMessage {
  if (text.byteLength > maxTextBytes) {
    throw new LeadlineError(
      'MESSAGE_MALFORMED',
      `A control message of ${text.byteLength} bytes; at most ${maxTextBytes} are allowed. Frames are binary.`
    )
  }
  return parseClientMessage(Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString('utf8'))
}

export interface StreamLimits {
  maxFrameBytes: number
  maxPixels: number
  maxContextBytes: number
  idleTimeoutMs: number
}

/** What a session had before this socket: it was taken over, or goes on from a context, or neither. */
export interface Before {
  taken?: ResumedSession | null
  from?: SavedContext | null
}

export function readyMessage(
  session: SessionHandle,
  limits: StreamLimits,
  { taken = null, from = null }: Before
): ReadyMessage {
  const { license, quantity } = session.offer
  const { model, modelDigest, mode, cacheSize, epoch, maxInFlight }: OpenedSession = session.opened
  const { maxFrameBytes, maxPixels, idleTimeoutMs } = limits
  return {
    type: 'ready',
    session: session.id,
    resumeToken: session.resumeToken,
    epoch: taken?.resumed.epoch ?? epoch,
    model,
    modelDigest,
    license,
    quantity,
    mode,
    cacheSize,
    limits: { maxInFlight, maxFrameBytes, maxPixels, idleTimeoutMs, graceMs: session.graceMs },
    ...(taken === null ? {} : { resumed: resumedPart(taken) }),
    ...(from === null ? {} : { continued: continuedPart(session, from) })
  }
}

function continuedPart(
  { opened }: SessionHandle,
  { seq, context: { digest } }: SavedContext
): NonNullable<ReadyMessage['continued']> {
  const continuity = opened.continuity ?? 'new'
  return { continuity, digest: continuity === 'exact' && digest !== null ? shortDigest(digest) : null, seq }
}

function resumedPart({ resumed, wanted }: ResumedSession): NonNullable<ReadyMessage['resumed']> {
  const { continuity, digest, seq, after } = resumed
  const replay = wanted === undefined ? {} : { replay: { frames: wanted.frames, bytes: wanted.bytes } }
  return { continuity, digest, seq, after, ...replay }
}

export function errorMessage(failure: PublicFailure, seq?: number): ServerMessage {
  return { type: 'error', ...failure, ...(seq === undefined ? {} : { seq }) }
}

/** What goes over the wire: a depth map as its bytes, all else as a control message. */
export function writeOutgoing(
  event: Outgoing,
  tell: (failure: LeadlineError) => PublicFailure
): string | Uint8Array {
  if (event.type === 'result' || event.type === 'context') return event.message
  if (event.type === 'checkpointFailed') {
    const { code, detail, temporary } = tell(new LeadlineError(event.code, event.detail))
    const failed = { type: 'checkpoint', id: event.id, failure: { code, detail, temporary } } as const
    return JSON.stringify(failed satisfies ServerMessage)
  }
  if (event.type === 'error') {
    return JSON.stringify(errorMessage(tell(new LeadlineError(event.code, event.detail)), event.seq))
  }
  if (event.type === 'updated')
    return JSON.stringify({ type: 'updated', id: event.id } satisfies ServerMessage)
  return JSON.stringify(event satisfies ServerMessage)
}
