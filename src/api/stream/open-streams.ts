import type { LeadlineError } from '../../errors.ts'
import { until } from '../../machine/stop-time.ts'
import { draining } from '../plugins/draining.ts'

/** A stream as far as shutting down is concerned. */
export interface OpenStream {
  /** Resolves when the socket is gone, and the session with it or left. */
  readonly ended: Promise<void>
  /** Ask the client to go on elsewhere. False: its session ends here. */
  goAway(timeLeftMs: number): boolean
  /** Tell the client why and close. Resolves when session and socket are gone. */
  end(reason: LeadlineError): Promise<void>
}

/** Every stream of this gateway, so that none outlives it. */
export class OpenStreams {
  readonly #leaveMs: number
  readonly #streams = new Set<OpenStream>()
  #isDraining = false

  /** How long a client has to go on elsewhere; 0: there is no elsewhere. */
  constructor(leaveMs: number) {
    this.#leaveMs = leaveMs
  }

  get isDraining(): boolean {
    return this.#isDraining
  }

  get size(): number {
    return this.#streams.size
  }

  add(stream: OpenStream): void {
    this.#streams.add(stream)
    if (this.#isDraining) void stream.end(draining())
  }

  remove(stream: OpenStream): void {
    this.#streams.delete(stream)
  }

  /** End all streams, those last that can go on elsewhere; those that come later end at once. */
  async drain(): Promise<void> {
    this.#isDraining = true
    const moving = [...this.#streams].filter((stream) => this.#leaveMs > 0 && stream.goAway(this.#leaveMs))
    const staying = [...this.#streams].filter((stream) => !moving.includes(stream))
    await Promise.all([
      ...staying.map((stream) => stream.end(draining())),
      until(
        performance.now() + this.#leaveMs,
        Promise.all(moving.map(({ ended }) => ended)).then(() => {})
      )
    ])
    await Promise.all([...this.#streams].map((stream) => stream.end(draining())))
  }
}
