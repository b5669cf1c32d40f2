import type { ClipBook, ClipRow, Standing } from '../books/clip-book.ts'
import type { ClipStorage } from '../storage/clip-storage.ts'

/** How often a run says that it goes on. */
const sayMs = 1000

export interface ClipGripOptions {
  book: ClipBook
  storage: Pick<ClipStorage, 'read'>
  row: ClipRow
  /** Name of the run. */
  run: string
  holdMs: number
}

/** The hold of a run on its clip: says how far it is, and finds out when the clip is another's or has been ended. */
export class ClipGrip {
  readonly #options: ClipGripOptions
  readonly #lost = new AbortController()
  readonly #timer: NodeJS.Timeout
  #isSaying = false
  /** Whose depth is known. */
  frames: number

  constructor(options: ClipGripOptions) {
    this.#options = options
    this.frames = options.row.clip.progress.frames
    this.#timer = setInterval(() => void this.#say(), sayMs)
  }

  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /** Nothing is said any more. */
  stop(): void {
    clearInterval(this.#timer)
  }

  /** The next run may have it at once. Throws STORE_UNAVAILABLE. */
  async letGo(): Promise<Standing> {
    this.stop()
    const { book, row, run } = this.#options
    return book.keep(row.clip.id, run, { frames: this.frames, holdMs: 0 })
  }

  async #say(): Promise<void> {
    if (this.#isSaying) return
    this.#isSaying = true
    const { book, row, run, holdMs } = this.#options
    try {
      const standing = await book.keep(row.clip.id, run, { frames: this.frames, holdMs })
      if (standing === 'lost') this.#lost.abort()
      if (standing === 'unknown') await this.#enterAgain()
    } catch {
      // A store that is away says nothing of who has the clip; whoever takes it goes on behind what is written.
    } finally {
      this.#isSaying = false
    }
  }

  /** The book has forgotten the clip, or it was deleted: then its document is gone too. */
  async #enterAgain(): Promise<void> {
    const { book, storage, row, run, holdMs } = this.#options
    const { id } = row.clip
    if ((await storage.read(id)) === null) return this.#lost.abort()
    await book.put(row)
    const claim = await book.claim(id, run, holdMs)
    if (claim.kind !== 'taken') this.#lost.abort()
  }
}
