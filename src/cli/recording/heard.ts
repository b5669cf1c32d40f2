import { parseServerMessage } from '../../client/index.ts'
import type { ClientSocket } from '../../client/index.ts'
import { decodeMessage, kinds } from '../../wire/frame.ts'
import type { ReadyMessage } from '../../wire/protocol.ts'
import { dropped } from './outcome.ts'
import type { Outcome } from './outcome.ts'

/** What comes over a socket. */
export class Heard {
  readonly outcomes = new Map<number, Outcome>()
  ready: ReadyMessage | null = null
  /** The error that ended it, or how the socket closed without one; null: as was asked. */
  endedBy: string | null = null
  isOver = false
  #wake: () => void = () => {}

  constructor(socket: ClientSocket) {
    socket.addEventListener('message', ({ data }) => {
      if (typeof data === 'string') this.#text(data)
      else this.#binary(new Uint8Array(data as ArrayBuffer))
      this.#wake()
    })
    socket.addEventListener('close', ({ code }) => {
      this.isOver = true
      if (code !== 1000) this.endedBy ??= `close code ${code}`
      this.#wake()
    })
  }

  /** Resolves when it holds, or nothing follows. */
  async until(holds: () => boolean): Promise<void> {
    while (!this.isOver && !holds()) await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  #text(text: string): void {
    const message = parseServerMessage(text)
    if (message?.type === 'ready') this.ready = message
    if (message?.type === 'drop') this.outcomes.set(message.seq, dropped(message))
    if (message?.type !== 'error') return
    if (message.seq !== undefined) this.outcomes.set(message.seq, { type: 'error', code: message.code })
    else this.endedBy = message.code
  }

  #binary(message: Uint8Array): void {
    const { header } = decodeMessage(message)
    if (header.kind === kinds.depth) this.outcomes.set(header.seq, { type: 'depth', message })
  }
}
