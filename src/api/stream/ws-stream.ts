import type { Duplex } from 'node:stream'
import type { RawData, WebSocket } from 'ws'
import { LeadlineError } from '../../errors.ts'
import type { ConnectionOptions } from './connection.ts'
import { Connection } from './connection.ts'
import { guardGreeting, maxGreetingBytes } from './greeting-guard.ts'
import { keepAlive } from './keep-alive.ts'
import { MessageBudget } from './message-budget.ts'
import type { OpenStream } from './open-streams.ts'
import type { StreamSocket } from './socket.ts'

/** How long a peer may take to answer our close before the socket is cut: of a key that was revoked it is so within 3 s. */
const closeGraceMs = 1500

const tooMuch = `More than ${maxGreetingBytes} bytes came, and no "config" in them`

export interface StreamOptions extends Omit<ConnectionOptions, 'socket'> {
  /** A peer that is silent for two of these is gone, even if nothing says so. */
  keepAliveMs: number
  /** The client has said what it wants. */
  onConfig(): void
}

/**
 * Join a `ws` socket and a connection. Listeners are attached before this returns, so no message is lost.
 * `ended` resolves when both the socket and the session are gone, but for a session that was still being opened.
 */
export function attachStream(
  ws: WebSocket,
  transport: Duplex,
  { keepAliveMs, onConfig, ...options }: StreamOptions
): OpenStream {
  const connection = new Connection({ ...options, socket: streamSocket(ws) })
  const budget = new MessageBudget()
  ws.on('message', (data, isBinary) => connection.receive(bytesOf(data), isBinary ? 'binary' : 'text'))
  const count = () => {
    const waitMs = budget.take(performance.now())
    if (waitMs === 0 || ws.isPaused) return
    ws.pause()
    setTimeout(() => ws.resume(), waitMs).unref()
  }
  ws.on('message', count).on('ping', count)
  // Side by side: a session may take its time to be given back.
  const end = (reason: LeadlineError) => Promise.all([connection.fail(reason), closedInTime(ws)])
  const onGreeting = guardGreeting(transport, {
    isOver: () => connection.hasConfig,
    onOver: onConfig,
    onExcess: () => void end(new LeadlineError('CONFIG_EXPECTED', tooMuch))
  })
  ws.on('message', onGreeting)
  const stopPinging = keepAlive(ws, keepAliveMs)
  const ended = new Promise<void>((resolve) => {
    ws.on('close', (code) => {
      stopPinging()
      void connection.closed(code).then(resolve)
    })
  })
  return {
    ended,
    goAway: (timeLeftMs) => connection.goAway(timeLeftMs),
    async end(reason: LeadlineError) {
      await end(reason)
      await ended
    }
  }
}

function streamSocket(ws: WebSocket): StreamSocket {
  return {
    get bufferedBytes() {
      return ws.bufferedAmount
    },
    send: (message, onSent) => {
      if (ws.readyState === ws.OPEN) ws.send(message, { binary: typeof message !== 'string' }, onSent)
    },
    close: (code, reason) => ws.close(code, reason)
  }
}

/** `ws` gives one buffer unless told otherwise; the other two shapes are in its type. */
function bytesOf(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data)
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data
}

/** A socket that fails meanwhile, since its peer breaks the protocol, is closed by that. */
async function closedInTime(ws: WebSocket): Promise<void> {
  if (ws.readyState === ws.CLOSED) return
  const timer = setTimeout(() => ws.terminate(), closeGraceMs)
  await new Promise<void>((resolve) => ws.once('close', () => resolve()))
  clearTimeout(timer)
}
