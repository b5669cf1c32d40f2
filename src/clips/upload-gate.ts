import { LeadlineError } from '../errors.ts'
import type { ClipQueue } from './queue/clip-queue.ts'

/** What a waiting client is told; a clip takes minutes. */
const retryAfterMs = 30_000

export interface UploadLimits {
  /** Clips that may wait for their turn. */
  maxWaiting: number
  /** Clips that may be on their way here. */
  maxUploads: number
}

/**
 * Uploads are counted by themselves, so that slow ones keep nobody from the queue; one that has begun is let in even when
 * the queue has filled up meanwhile.
 */
export class UploadGate {
  readonly #limits: UploadLimits
  readonly #queue: Pick<ClipQueue, 'waiting'>
  #uploads = 0

  constructor(limits: UploadLimits, queue: Pick<ClipQueue, 'waiting'>) {
    this.#limits = limits
    this.#queue = queue
  }

  /** Throws CLIPS_BUSY. Call the result once the clip was added or will never be. */
  async begin(): Promise<() => void> {
    const end = this.goOn()
    try {
      await this.checkQueue()
      return end
    } catch (error) {
      end()
      throw error
    }
  }

  /** Likewise for more of an upload that was let in before. Throws CLIPS_BUSY. */
  goOn(): () => void {
    const { maxUploads } = this.#limits
    if (this.#uploads >= maxUploads) throw busy(`${maxUploads} clips are being uploaded already`)
    this.#uploads++
    let isRunning = true
    return () => {
      if (isRunning) this.#uploads--
      isRunning = false
    }
  }

  /** Throws CLIPS_BUSY. */
  async checkQueue(): Promise<void> {
    const { maxWaiting } = this.#limits
    if ((await this.#queue.waiting()) >= maxWaiting) throw busy(`${maxWaiting} clips are waiting already`)
  }
}

function busy(why: string): LeadlineError {
  return new LeadlineError('CLIPS_BUSY', `${why}; try again later`, { retryAfterMs })
}
