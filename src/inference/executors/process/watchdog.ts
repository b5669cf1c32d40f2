import type { CallTime } from './call-times.ts'
import { suspect, whyHung, whyHungBlind, whyStill } from './hang.ts'
import type { Look, Stillness, Suspicion } from './hang.ts'

/** How long the watched call may take: as long as it does anything, or about as long as usual. */
export type Patience = Stillness | { usual: CallTime }

export interface WatchdogOptions {
  /** Null where a process cannot be looked into. */
  look: () => Look | null
  /** Called with what is wrong, for instance "did nothing for 600 ms". */
  onHang: (why: string) => void
}

interface Watched {
  patience: Patience
  watchedMs: number
  suspicion: Suspicion | null
}

const intervalMs = 100
/** Looking costs a few file reads: calls that could not be judged for long yet are left alone, in milliseconds. */
const lookFromMs = 300

/**
 * Watches one call at a time, ten times a second, and looks at the process only when the call takes longer than usual.
 * Time in which the watchdog itself did not run counts little: the answer may be here, unread.
 */
export class Watchdog {
  readonly #options: WatchdogOptions
  #watched: Watched | null = null
  #timer: NodeJS.Timeout | null = null
  #lastMs = 0

  constructor(options: WatchdogOptions) {
    this.#options = options
  }

  /** In place of the call that was watched before; null for none. */
  watch(patience: Patience | null): void {
    this.#watched = patience && { patience, watchedMs: 0, suspicion: null }
    if (!patience || this.#timer) return
    this.#lastMs = performance.now()
    this.#timer = setInterval(() => this.#tick(), intervalMs)
  }

  /** Twice without harm. */
  close(): void {
    this.#watched = null
    this.#rest()
  }

  #tick(): void {
    const nowMs = performance.now()
    const gapMs = Math.min(nowMs - this.#lastMs, 2 * intervalMs)
    this.#lastMs = nowMs
    if (!this.#watched) return this.#rest()
    this.#watched.watchedMs += gapMs
    const why = this.#judge(this.#watched)
    if (why === null) return
    this.close()
    this.#options.onHang(why)
  }

  #judge(watched: Watched): string | null {
    const { patience, watchedMs } = watched
    const usualMs = 'usual' in patience ? patience.usual.wallMs : 0
    if (watchedMs < Math.max(lookFromMs, usualMs)) return null
    const look = this.#options.look()
    if (!look) return whyHungBlind(patience, watchedMs)
    watched.suspicion = suspect(watched.suspicion, look, watchedMs)
    if ('stillMs' in patience) return whyStill(watched.suspicion, patience, watchedMs)
    return whyHung(watched.suspicion, patience.usual, watchedMs)
  }

  #rest(): void {
    if (this.#timer) clearInterval(this.#timer)
    this.#timer = null
  }
}
