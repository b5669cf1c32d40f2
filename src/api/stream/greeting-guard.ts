import type { Duplex } from 'node:stream'

/** What a stream may bring before its config, and with it, frames of the WebSocket included. */
export const maxGreetingBytes = 65_536

export interface Greeting {
  isOver(): boolean
  /** A config came. */
  onOver(): void
  /** More came, and no config. */
  onExcess(): void
}

type Receiver = (this: Duplex, piece: Uint8Array) => void

/**
 * Stand between a socket and the WebSocket layer, which would else hold a whole frame, until there was a config: no more than
 * `maxGreetingBytes` get through, and what comes after an excess is dropped. To be called after that layer listens, which tells
 * of a message in the turn of the event loop after the one in which it came. What it returns is to be called after each message.
 */
export function guardGreeting(socket: Duplex, { isOver, onOver, onExcess }: Greeting): () => void {
  const receivers = socket.listeners('data') as Receiver[]
  const pass = (piece: Uint8Array) => {
    if (piece.byteLength > 0) for (const receiver of receivers) receiver.call(socket, piece)
  }
  let left = maxGreetingBytes
  let isDone = false
  const onData = (piece: Uint8Array) => {
    const rest = piece.subarray(left)
    pass(piece.subarray(0, left))
    left -= piece.byteLength - rest.byteLength
    if (rest.byteLength > 0) withhold(rest)
  }
  const withhold = (rest: Uint8Array) => {
    socket.off('data', onData)
    socket.pause()
    setImmediate(() => {
      const isGreeted = isOver()
      if (!isGreeted) {
        isDone = true
        socket.on('data', () => undefined)
        onExcess()
      } else if (!isDone) onMessage()
      socket.resume()
      if (isGreeted) pass(rest)
    })
  }
  const onMessage = () => {
    if (isDone || !isOver()) return
    isDone = true
    socket.off('data', onData)
    for (const receiver of receivers) socket.on('data', receiver)
    onOver()
  }
  for (const receiver of receivers) socket.off('data', receiver)
  socket.on('data', onData)
  return onMessage
}
