import { Deferred } from '../../deferred.ts'
import { LeadlineError } from '../../errors.ts'

interface Writer {
  stop: AbortController
  ended: Promise<void>
}

/**
 * Who writes to which upload in this process. A client that comes again has given its connection before up, of which this side
 * may hear minutes later or never: so the newer request goes on, and the older one ends.
 */
export class Writers {
  readonly #writers = new Map<string, Writer>()

  /** Once whoever wrote there has stopped. `signal` aborts when a newer one comes; call `end` in any case. */
  async begin(id: string): Promise<{ signal: AbortSignal; end: () => void }> {
    for (let writer = this.#writers.get(id); writer !== undefined; writer = this.#writers.get(id)) {
      writer.stop.abort(taken())
      await writer.ended
    }
    const stop = new AbortController()
    const ended = new Deferred<void>()
    this.#writers.set(id, { stop, ended: ended.promise })
    const end = () => {
      this.#writers.delete(id)
      ended.resolve()
    }
    return { signal: stop.signal, end }
  }
}

/** The pieces, until the signal says that they are not wanted any more: then its reason is thrown. */
export async function* unless(
  signal: AbortSignal,
  pieces: AsyncIterable<Uint8Array>
): AsyncGenerator<Uint8Array, void, undefined> {
  const iterator = pieces[Symbol.asyncIterator]()
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
  aborted.catch(() => undefined)
  try {
    for (;;) {
      signal.throwIfAborted()
      const next = await Promise.race([iterator.next(), aborted])
      if (next.done === true) return
      yield next.value
    }
  } finally {
    void iterator.return?.().catch(() => undefined)
  }
}

export function taken(): LeadlineError {
  return new LeadlineError(
    'UPLOAD_TAKEN',
    'Another request is at this upload; ask where it stands, and go on from there'
  )
}
