import type { ValidFrame } from '../../../frame.ts'
import type { Decoded, PrepareOptions } from '../preprocess.ts'
import type { ReceivedFrame } from '../received-frame.ts'
import { DecoderChild } from './decoder-child.ts'
import type { DecoderLimits } from './decoder-child.ts'

export interface LaneOptions extends DecoderLimits {
  /** Processes that stay, and those there are at most. */
  min: number
  max: number
}

const idleMs = 60_000

/** Some decoders, and who waits for one. Whoever made a lane closes it. */
export class DecoderLane {
  readonly #options: LaneOptions
  readonly #children = new Set<DecoderChild>()
  /** Each with the timer that ends it. */
  readonly #free = new Map<DecoderChild, NodeJS.Timeout | null>()
  readonly #waiting: ((child: DecoderChild) => void)[] = []
  #isClosed = false

  constructor(options: LaneOptions) {
    this.#options = options
    this.#keepMin()
  }

  get pids(): number[] {
    return [...this.#children].flatMap(({ pid, isDead }) => (pid === undefined || isDead ? [] : [pid]))
  }

  /** As `DecoderChild`. */
  async decode(frame: ValidFrame, options: PrepareOptions): Promise<Decoded<ReceivedFrame>> {
    const child = await this.#take()
    try {
      return await child.decode(frame, options)
    } finally {
      this.#give(child)
    }
  }

  /** What is being decoded fails. Twice without harm. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const timer of this.#free.values()) if (timer !== null) clearTimeout(timer)
    await Promise.all([...this.#children].map((child) => child.end()))
  }

  #take(): DecoderChild | Promise<DecoderChild> {
    for (const [child, timer] of this.#free) {
      this.#free.delete(child)
      if (timer !== null) clearTimeout(timer)
      if (!child.isDead) return child
      this.#children.delete(child)
    }
    if (this.#children.size < this.#options.max) return this.#start()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #give(child: DecoderChild): void {
    if (child.isDead) this.#children.delete(child)
    const next = this.#waiting.shift()
    if (next !== undefined) return next(child.isDead && !this.#isClosed ? this.#start() : child)
    if (!child.isDead) this.#rest(child)
    this.#keepMin()
  }

  #keepMin(): void {
    while (!this.#isClosed && this.#children.size < this.#options.min) this.#rest(this.#start())
  }

  /** More than there always are end when there is nothing for them to do. */
  #rest(child: DecoderChild): void {
    if (this.#children.size <= this.#options.min) return void this.#free.set(child, null)
    const end = () => {
      this.#free.delete(child)
      this.#children.delete(child)
      void child.end()
    }
    this.#free.set(child, setTimeout(end, idleMs).unref())
  }

  #start(): DecoderChild {
    const child = new DecoderChild(this.#options)
    this.#children.add(child)
    return child
  }
}
