import { LeadlineError } from '../../errors.ts'

/** What a waiting client is told; a clip takes minutes. */
const retryAfterMs = 30_000

export interface QueueLimits {
  /** Clips that may wait while one runs. */
  maxWaiting: number
  /** Clips that may be on their way here. */
  maxUploads: number
}

/**
 * Clips one at a time, in order. Uploads are counted by themselves, so that slow ones keep nobody from the queue; one that
 * has begun is let in even when the queue has filled up meanwhile.
 */
export class ClipQueue {
  readonly #limits: QueueLimits
  readonly #run: (id: string, signal: AbortSignal) => Promise<void>
  #waiting: string[] = []
  #uploads = 0
  #running: { id: string; abort: AbortController; ended: Promise<void> } | null = null
  #isClosed = false

  /** `run` must not reject. */
  constructor(limits: QueueLimits, run: (id: string, signal: AbortSignal) => Promise<void>) {
    this.#limits = limits
    this.#run = run
  }

  /** Throws CLIPS_BUSY. Call the result once the clip was added or will never be. */
  beginUpload(): () => void {
    const { maxWaiting, maxUploads } = this.#limits
    if (this.#waiting.length >= maxWaiting) throw busy(`${maxWaiting} clips are waiting already`)
    if (this.#uploads >= maxUploads) throw busy(`${maxUploads} clips are being uploaded already`)
    this.#uploads++
    let isRunning = true
    return () => {
      if (isRunning) this.#uploads--
      isRunning = false
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

function busy(why: string): LeadlineError {
  return new LeadlineError('CLIPS_BUSY', `${why}; try again later`, { retryAfterMs })
}
