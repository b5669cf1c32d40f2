import type { LeadlineError } from '../../errors.ts'
import { draining } from '../plugins/draining.ts'

/** A stream as far as shutting down is concerned. */
export interface OpenStream {
  /** Tell the client why and close. Resolves when session and socket are gone. */
  end(reason: LeadlineError): Promise<void>
}

/** Every stream of this gateway, so that none outlives it. */
export class OpenStreams {
  readonly #streams = new Set<OpenStream>()
  #isDraining = false

  get isDraining(): boolean {
    return this.#isDraining
  }

  add(stream: OpenStream): void {
    this.#streams.add(stream)
    if (this.#isDraining) void stream.end(draining())
  }

  remove(stream: OpenStream): void {
    this.#streams.delete(stream)
  }

  /** End all streams; those that come later end at once. */
  async drain(): Promise<void> {
    this.#isDraining = true
    await Promise.all([...this.#streams].map((stream) => stream.end(draining())))
  }
}
