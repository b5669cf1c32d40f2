import { LeadlineError } from '../errors.ts'
import type { Header, ValidFrame } from './frame.ts'
import { encodeMessage, headerBytes, kinds } from './frame.ts'

/**
 * A context on its way over a socket: binary messages of kind `context`, in order, each with the offset of its bytes in
 * place of a seq.
 */

/** What one part carries at most: little beside any frame, and what a depth map behind it waits for. */
const maxPartBytes = 2 ** 18

/** `maxMessageBytes` bounds each message, header and all. */
export function contextParts(
  context: Uint8Array,
  maxMessageBytes: number = Infinity
): Uint8Array<ArrayBuffer>[] {
  const step = Math.max(1, Math.min(maxPartBytes, maxMessageBytes - headerBytes))
  return Array.from({ length: Math.ceil(context.byteLength / step) }, (_, at) =>
    encodeMessage(headerAt(at * step), context.subarray(at * step, (at + 1) * step))
  )
}

/** Puts a context together again. Holds what has come, and nothing for what was announced. */
export class ContextParts {
  readonly #bytes: number
  readonly #parts: Uint8Array[] = []
  #received = 0

  /** Of the whole, as it was announced. */
  constructor(bytes: number) {
    this.#bytes = bytes
  }

  get received(): number {
    return this.#received
  }

  /** The context, once all of it is here; null before. */
  get whole(): Uint8Array<ArrayBuffer> | null {
    if (this.#received < this.#bytes) return null
    const whole = new Uint8Array(this.#bytes)
    let at = 0
    for (const part of this.#parts) {
      whole.set(part, at)
      at += part.byteLength
    }
    return whole
  }

  /** Throws CONTEXT_INVALID for what is not the next part. */
  take({ header: { kind, seq }, payload }: ValidFrame): void {
    if (kind !== kinds.context) this.#refuse(`a message of kind ${kind} came before all of it`)
    if (seq !== this.#received) this.#refuse(`a part says that it is at ${seq}`)
    if (payload.byteLength === 0) this.#refuse('a part is empty')
    if (this.#received + payload.byteLength > this.#bytes) this.#refuse('more came than was announced')
    this.#parts.push(payload)
    this.#received += payload.byteLength
  }

  #refuse(reason: string): never {
    const progress = `${this.#received} of ${this.#bytes} bytes are here`
    throw new LeadlineError('CONTEXT_INVALID', `The context cannot be put together: ${reason}; ${progress}`)
  }
}

function headerAt(offset: number): Header {
  return {
    ...{ kind: kinds.context, flags: 0, seq: offset, timestampUs: 0, epoch: 0, codec: 'raw', dtype: 'u8' },
    ...{ width: 0, height: 0, scale: 1, offset: 0, rangeMin: 0, rangeMax: 0, quantity: 'none' },
    ...{ queueUs: 0, computeUs: 0 }
  }
}
