/** What the stream asks of a WebSocket; the browser's, Node's and the `ws` package's have it. */
export interface ClientSocket {
  binaryType: string
  /** Bytes handed over that the operating system has not taken yet. */
  readonly bufferedAmount: number
  send(message: string | Uint8Array<ArrayBuffer>): void
  close(code?: number, reason?: string): void
  addEventListener(type: 'open' | 'error', listener: (event: object) => void): void
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void
  addEventListener(type: 'close', listener: (event: { code: number; reason: string }) => void): void
}
