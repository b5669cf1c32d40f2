import type { Duplex } from 'node:stream'
import { maxTextBytes } from './messages.ts'

/** What a stream may take in before its config: the largest message that can be one, and what frames it. */
const maxGreetingBytes = maxTextBytes + 1024

export interface Greeting {
  isOver(): boolean
  /** A config came. */
  onOver(): void
  /** More came, and no config. */
  onExcess(): void
}

/**
 * Watch what a socket brings before its config, of which the WebSocket layer would else hold a whole frame. To be called
 * after that layer listens, which tells of a message in the turn of the event loop after the one in which it came.
 * What it returns is to be called after each message.
 */
export function guardGreeting(socket: Duplex, { isOver, onOver, onExcess }: Greeting): () => void {
  let bytes = 0
  let isDone = false
  const onData = (piece: Uint8Array) => {
    bytes += piece.byteLength
    if (bytes <= maxGreetingBytes) return
    socket.off('data', onData)
    socket.pause()
    setImmediate(() => {
      if (!isOver()) return onExcess()
      socket.resume()
      onMessage()
    })
  }
  const onMessage = () => {
    if (isDone || !isOver()) return
    isDone = true
    socket.off('data', onData)
    onOver()
  }
  socket.on('data', onData)
  return onMessage
}
