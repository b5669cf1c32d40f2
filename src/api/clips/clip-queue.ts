import { LeadlineError } from '../../errors.ts'

/** What a waiting client is told; a clip takes minutes. */
const retryAfterMs = 30_000

/** Clips one at a time, in order. A place is taken before the upload and used or given back after it. */
export class ClipQueue {
  readonly #maxWaiting: number
  readonly #run: (id: string, signal: AbortSignal) => Promise<void>
  #waiting: string[] = []
  #places = 0
  #running: { id: string; abort: AbortController; ended: Promise<void> } | null = null
  #isClosed = false

  /** `run` must not reject. */
  constructor(maxWaiting: number, run: (id: string, signal: AbortSignal) => Promise<void>) {
    this.#maxWaiting = maxWaiting
    this.#run = run
  }

  /** Throws CLIPS_BUSY when all places are taken. Call the result once the clip was added or will never be. */
  takePlace(): () => void {
    if (this.#places + this.#waiting.length >= this.#maxWaiting) {
      const detail = `${this.#maxWaiting} clips are waiting already; try again later`
      throw new LeadlineError('CLIPS_BUSY', detail, { retryAfterMs })
    }
    this.#places++
    let isTaken = true
    return () => {
      if (isTaken) this.#places--
      isTaken = false
    }
  }

  add(id: string): void {
    this.#waiting.push(id)
    this.#next()
  }

  /** Forget a clip that waits, or stop it; resolves when nothing works on it any more. */
  async cancel(id: string): Promise<void> {
    this.#waiting = this.#waiting.filter((waiting) => waiting !== id)
    if (this.#running?.id !== id) return
    this.#running.abort.abort()
    await this.#running.ended
  }

  /** Stop the clip that runs and start no other. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#running?.abort.abort()
    await this.#running?.ended
  }

  #next(): void {
    if (this.#running !== null || this.#isClosed) return
    const id = this.#waiting.shift()
    if (id === undefined) return
    const abort = new AbortController()
    const ended = this.#run(id, abort.signal).then(() => {
      this.#running = null
      this.#next()
    })
    this.#running = { id, abort, ended }
  }
}
