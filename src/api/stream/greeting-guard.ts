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
 * after that layer listens, so that a config counts as soon as it is there.
 */
export function guardGreeting(socket: Duplex, { isOver, onOver, onExcess }: Greeting): void {
  let bytes = 0
  const onData = (piece: Uint8Array) => {
    bytes += piece.byteLength
    if (!isOver() && bytes <= maxGreetingBytes) return
    socket.off('data', onData)
    if (isOver()) onOver()
    else onExcess()
  }
  socket.on('data', onData)
}
