import { ContextParts } from '../wire/context-parts.ts'
import { Deferred } from '../deferred.ts'
import { isErrorCode, LeadlineError } from '../errors.ts'
import type { ValidFrame } from '../wire/frame.ts'
import type { ServerMessage } from '../wire/protocol.ts'
import { freshId } from './fresh-id.ts'

interface Waiting {
  id: string
  saved: Deferred<Uint8Array>
}

interface CheckpointsOptions {
  ask(id: string): void
  /** It need not be asked for again over another socket. */
  answered(id: string): void
}

/** Contexts that the application asked for: one at a time, since a server answers no more. */
export class Checkpoints {
  readonly #options: CheckpointsOptions
  readonly #waiting: Waiting[] = []
  #parts: ContextParts | null = null

  constructor(options: CheckpointsOptions) {
    this.#options = options
  }

  get isWaiting(): boolean {
    return this.#waiting.length > 0
  }

  save(): Promise<Uint8Array> {
    const waiting = { id: freshId(), saved: new Deferred<Uint8Array>() }
    if (this.#waiting.push(waiting) === 1) this.#options.ask(waiting.id)
    return waiting.saved.promise
  }

  /** The server begins to answer, or says why not. */
  told({ id, bytes, failure }: Extract<ServerMessage, { type: 'checkpoint' }>): void {
    if (this.#waiting[0]?.id !== id) return
    if (failure !== undefined) this.#next()?.saved.reject(failureOf(failure))
    else this.#parts = new ContextParts(bytes ?? 0)
  }

  /** Throws CONTEXT_INVALID for a part that is out of place. */
  part(message: ValidFrame): void {
    this.#parts?.take(message)
    const whole = this.#parts?.whole ?? null
    if (whole !== null) this.#next()?.saved.resolve(whole)
  }

  /** The socket is gone: the next one begins the answer anew. */
  lose(): void {
    this.#parts = null
  }

  end(error: LeadlineError): void {
    for (const { saved } of this.#waiting.splice(0)) saved.reject(error)
  }

  #next(): Waiting | undefined {
    this.#parts = null
    const done = this.#waiting.shift()
    const [next] = this.#waiting
    if (done) this.#options.answered(done.id)
    if (next) this.#options.ask(next.id)
    return done
  }
}

function failureOf({ code, detail }: { code: string; detail: string }): LeadlineError {
  return isErrorCode(code)
    ? new LeadlineError(code, detail)
    : new LeadlineError('INTERNAL', `${code}: ${detail}`)
}
