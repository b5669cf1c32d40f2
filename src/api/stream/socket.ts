/** What a stream asks of a WebSocket. `stream/ws-socket.ts` makes one of the `ws` package's, a test makes one of a list. */
export interface StreamSocket {
  /** Bytes handed over that the operating system has not taken yet. */
  readonly bufferedBytes: number
  /** A string goes as a text message, bytes as a binary one. `onSent` is called once the message has left. */
  send(message: string | Uint8Array, onSent: () => void): void
  close(code: number, reason: string): void
}
