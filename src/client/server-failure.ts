import { errorCodes, errorDefinition, isErrorCode, LeadlineError } from '../errors.ts'
import type { ServerMessage } from '../wire/protocol.ts'

/** The server's `error` message as an error. A code of a newer server becomes INTERNAL and stays in the text. */
export function serverFailure(message: Extract<ServerMessage, { type: 'error' }>): LeadlineError {
  const { code, detail, retryAfterMs } = message
  const options = retryAfterMs === undefined ? {} : { retryAfterMs }
  if (isErrorCode(code)) return new LeadlineError(code, detail, options)
  return new LeadlineError('INTERNAL', `${code}: ${detail}`, options)
}

/** What a socket's end means when no `error` message came before. */
export function closeFailure(code: number, reason: string): LeadlineError {
  if (isErrorCode(reason)) return new LeadlineError(reason, `The server closed the stream: ${reason}`)
  if (code === 1009) return new LeadlineError('FRAME_TOO_LARGE', tooLarge)
  const known = errorCodes.find((name) => code >= 4000 && errorDefinition(name).close === code)
  const words = reason === '' ? '' : ` (${reason})`
  return new LeadlineError(known ?? 'CONNECTION_LOST', `The connection was closed with code ${code}${words}`)
}

const tooLarge =
  'A message was larger than the server takes, which "ready" says in limits.maxFrameBytes; send smaller frames, or raise ' +
  'LEADLINE_MAX_FRAME_BYTES'
