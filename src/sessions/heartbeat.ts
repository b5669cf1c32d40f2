/** How often a gateway's lease is renewed. */
export const heartbeatMs = 500
/** A worker's, more often: what it has left when the worker dies is what nobody can notice it in. */
export const workerHeartbeatMs = 250
/** Beats without success after which a gateway refuses new sessions. */
export const patienceBeats = 7
/** The same as time: a little less than a gateway's TTL. Whatever is sent is tried for as long. */
export const patienceMs = heartbeatMs * (patienceBeats + 1)

export interface HeartbeatOptions {
  /** Renew the lease; rejects when that failed, and must not wait for anything else. */
  beat: () => Promise<void>
  everyMs: number
  /** Beats in a row without success after which the lease counts as lost. */
  patienceBeats: number
  /** Called once for each silence that outlasts the patience. */
  onSilence: (cause: unknown) => void
  /** The first beat that succeeds after one that did not. */
  onBack?: () => void
}

/**
 * Renews a lease at a fixed rate, whatever else is going on. Its patience counts beats, not time: a process that was
 * stopped, or too busy to hear the answers, has missed one beat, tries to renew, and Redis says whether it still can.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions
  #timer: NodeJS.Timeout | null = null
  #beating: Promise<void> | null = null
  #missed = 0
  #cause: unknown = null

  constructor(options: HeartbeatOptions) {
    this.#options = options
  }

  /** Resolves after the first beat; rejects when that failed, and then nothing was started. */
  async start(): Promise<void> {
    await this.#options.beat()
    this.#timer = setInterval(() => this.#tick(), this.#options.everyMs)
  }

  /** Whether the patience has run out and no beat has succeeded since. */
  get isSilent(): boolean {
    return this.#missed > this.#options.patienceBeats
  }

  /** Why the last beat failed; null when it did not. */
  get cause(): unknown {
    return this.#cause
  }

  /** A beat that begins now, or as soon as the one under way has ended. Never rejects. */
  async now(): Promise<void> {
    await this.#beating
    await this.#beat()
  }

  /** Resolves when no beat is under way. */
  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer)
    this.#timer = null
    await this.#beating
  }

  #tick(): void {
    const isPatient = !this.isSilent
    // Before the beat ends: one that hangs counts too.
    this.#missed += 1
    if (isPatient && this.isSilent) this.#options.onSilence(this.#cause)
    void this.#beat()
  }

  #beat(): Promise<void> {
    this.#beating ??= this.#beatOnce().finally(() => (this.#beating = null))
    return this.#beating
  }

  async #beatOnce(): Promise<void> {
    try {
      await this.#options.beat()
      if (this.#cause !== null) this.#options.onBack?.()
      this.#missed = 0
      this.#cause = null
    } catch (error) {
      this.#cause = error
    }
  }
}
