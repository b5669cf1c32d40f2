import type { Log } from '../sessions/index.ts'
import type { ClipBook } from './books/clip-book.ts'
import { hasEnded } from './books/clip-book.ts'
import type { ClipEnds } from './clip-ends.ts'
import type { ClipQueue } from './queue/clip-queue.ts'
import type { RetentionLimits } from './retention.ts'
import { expired } from './retention.ts'
import type { ClipStorage } from './storage/clip-storage.ts'
import type { Uploads } from './uploads/uploads.ts'

/** How often it is looked whether the book has forgotten. */
const lookMs = 2000
/** How often what is too old or too much is removed, and what was left behind. */
const sweepMs = 60_000
/** How often everything is entered again, which gives what lies in Redis a new life. */
const enterMs = 3_600_000
const rowsPerRead = 200

export interface ClipKeeperOptions {
  book: ClipBook
  queue: ClipQueue
  storage: ClipStorage
  ends: ClipEnds
  retention: RetentionLimits
  /** Removes a clip as its owner would. */
  remove: (id: string) => Promise<void>
  uploads: Pick<Uploads, 'sweep'>
  log: Log
}

/**
 * Keeps book, queue and storage in accord: what the storage has is in the book, what has not ended is in the queue, the
 * webhook of what has is told, and what is kept no longer leaves all three. The storage is what lasts; the book may lie in a
 * Redis that forgets.
 */
export class ClipKeeper {
  readonly #options: ClipKeeperOptions
  readonly #timers: NodeJS.Timeout[] = []
  #work: Promise<void> = Promise.resolve()

  constructor(options: ClipKeeperOptions) {
    this.#options = options
  }

  /** Resolves when everything is entered. */
  async start(): Promise<void> {
    await this.#options.storage.removeLeftovers({ isStart: true })
    await this.#enter()
    this.#every(lookMs, () => this.#look())
    this.#every(enterMs, () => this.#enter())
    this.#every(sweepMs, () => this.sweep())
  }

  /** What retention and leftovers ask for, once. */
  async sweep(): Promise<void> {
    const { storage, retention, remove, uploads, log } = this.#options
    await storage.removeLeftovers({ isStart: false })
    await uploads.sweep()
    if (retention.maxAgeMs === null && retention.maxBytes === null) return
    for (const id of expired(await this.#endedHere(), retention, Date.now())) {
      log.info({ clip: id }, 'a clip is removed: it is older, or they are more, than is kept')
      await remove(id)
    }
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    await this.#work
  }

  async #look(): Promise<void> {
    const { book, storage, log } = this.#options
    if (await book.isKnown(storage.id)) return
    log.warn({}, 'clips are entered again: Redis has forgotten them')
    await this.#enter()
  }

  async #enter(): Promise<void> {
    const { book, queue, storage, ends } = this.#options
    for (const { clip, owner, isTold } of await storage.list()) {
      await book.put({ clip, owner, storage: storage.id })
      const row = await book.get(clip.id)
      if (row && !hasEnded(row.clip)) await queue.add(clip.id, owner)
      if (row && isTold !== true) await ends.tell(row)
    }
    await book.know(storage.id)
  }

  /** Newest first. */
  async #endedHere() {
    const { book, storage } = this.#options
    const states = ['done', 'failed', 'cancelled'] as const
    const found = []
    for (let cursor: string | null = null; ;) {
      const page = await book.list({ owner: null, states, limit: rowsPerRead, cursor })
      found.push(...page.rows.filter((row) => row.storage === storage.id).map(({ clip }) => clip))
      cursor = page.cursor
      if (cursor === null) return found
    }
  }

  /** One after another, however slow the storage is. */
  #every(periodMs: number, work: () => Promise<void>): void {
    const { log } = this.#options
    let isBusy = false
    const timer = setInterval(() => {
      if (isBusy) return
      isBusy = true
      this.#work = this.#work
        .then(work)
        .catch((error: unknown) => log.debug({ err: error }, 'the upkeep of clips; it is tried again'))
        .finally(() => (isBusy = false))
    }, periodMs)
    timer.unref()
    this.#timers.push(timer)
  }
}
