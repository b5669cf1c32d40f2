import { LeadlineError } from '../../errors.ts'

/** One message as it came. */
export interface Held {
  data: Uint8Array
  kind: 'text' | 'binary'
}

/** What a message costs beside its bytes, so that a flood of tiny ones is bounded as well. */
const overheadBytes = 256

/** Messages that come while the session is being opened; they are handled, in order, once it is. */
export class EarlyMessages {
  readonly #maxBytes: number
  #messages: Held[] = []
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  hold(message: Held): void {
    this.#bytes += message.data.byteLength + overheadBytes
    if (this.#bytes > this.#maxBytes) {
      throw new LeadlineError(
        'FLOW_CONTROL',
        `More than ${this.#maxBytes} bytes were sent before "ready"; wait for it`
      )
    }
    this.#messages.push(message)
  }

  take(): Held[] {
    const messages = this.#messages
    this.#messages = []
    this.#bytes = 0
    return messages
  }
}
