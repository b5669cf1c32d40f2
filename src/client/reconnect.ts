import { LeadlineError } from '../errors.ts'
import type { ConfigMessage, ReadyMessage } from '../wire/protocol.ts'
import { backoffMs } from './backoff.ts'
import { pause } from './pause.ts'
import type { ClientSocket } from './socket.ts'
import { StreamLink } from './stream-link.ts'

/** Opens a socket. Attempt 0 is the first connection of a stream. */
export type Dial = (attempt: number, signal: AbortSignal) => Promise<ClientSocket>

export interface Greeting {
  dial: Dial
  /** Asks for the session; called when the socket is open. */
  hello(): ConfigMessage
  /** The context that it announces, in parts. */
  context?: readonly Uint8Array<ArrayBuffer>[]
  /** The session is ours over this socket. Called at once, so that no message goes by. */
  onReady(link: StreamLink, ready: ReadyMessage, attempt: number): void
  signal: AbortSignal
}

export interface Reconnecting extends Greeting {
  /** On the clock of performance.now(): nobody waits for the session any longer. */
  untilMs: number
  /** How long to wait before the first attempt. */
  firstDelayMs: number
  /** Numbers in [0, 1). */
  random(): number
}

/** An attempt that takes longer meets nobody: a server that makes a latent cache anew has answered before. */
const attemptMs = 20_000

/** Connect until a server takes the session up again. Throws why it will not, or why none could be reached in time. */
export async function reconnect(options: Reconnecting): Promise<void> {
  const { random, signal, untilMs } = options
  let waitMs = options.firstDelayMs
  for (let attempt = 1; ; attempt++) {
    await pause(waitMs, signal)
    try {
      return await inTime(attempt, options)
    } catch (error) {
      signal.throwIfAborted()
      const failure = asFailure(error)
      if (!failure.isTemporary) throw failure
      const leftMs = untilMs - performance.now()
      if (leftMs <= (failure.retryAfterMs ?? 0)) throw failure
      waitMs = Math.min(leftMs, backoffMs(attempt, random(), failure.retryAfterMs))
    }
  }
}

/** Connect, ask for the session, and wait until it is there. Throws what the server refuses it with. */
export async function greet(
  attempt: number,
  { dial, hello, context = [], onReady, signal }: Greeting
): Promise<void> {
  const socket = await dial(attempt, signal)
  await new Promise<void>((resolve, reject) => {
    const onAbort = () => {
      link.leave()
      reject(signal.reason)
    }
    const settle = (): void => signal.removeEventListener('abort', onAbort)
    const link = new StreamLink(socket, {
      control: (message) => {
        if (message.type !== 'ready') return
        settle()
        onReady(link, message, attempt)
        resolve()
      },
      depth: () => {},
      context: () => {},
      lost: (error) => {
        settle()
        reject(error)
      }
    })
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort)
    link.send(hello())
    for (const part of context) link.send(part)
  })
}

async function inTime(attempt: number, options: Greeting): Promise<void> {
  const { signal } = options
  const own = new AbortController()
  const onAbort = () => own.abort(signal.reason)
  const timer = setTimeout(() => own.abort(tooLate()), attemptMs)
  signal.addEventListener('abort', onAbort)
  try {
    await greet(attempt, { ...options, signal: own.signal })
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}

/** Whoever brings credentials may fail as the network does. */
function asFailure(error: unknown): LeadlineError {
  if (error instanceof LeadlineError) return error
  return new LeadlineError('CONNECTION_LOST', `The server could not be reached again: ${String(error)}`, {
    cause: error
  })
}

function tooLate(): LeadlineError {
  return new LeadlineError('CONNECTION_LOST', `The server did not answer within ${attemptMs} ms`)
}
