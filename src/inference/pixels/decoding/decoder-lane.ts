import { LeadlineError } from '../../../errors.ts'
import type { ValidFrame } from '../../../wire/frame.ts'
import { FairGate } from '../../fairness/fair-gate.ts'
import type { Asker } from '../../fairness/fair-gate.ts'
import type { PrepareOptions } from '../preprocess.ts'
import { DecoderChild } from './decoder-child.ts'
import type { DecodedOrLarge, DecoderLimits } from './decoder-child.ts'

export interface LaneOptions extends DecoderLimits {
  /** Processes that stay, and those there are at most. */
  min: number
  max: number
}

const idleMs = 60_000

/** Some decoders, for which images wait by fair turns. Whoever made a lane closes it. */
export class DecoderLane {
  readonly #options: LaneOptions
  readonly #gate: FairGate
  readonly #children = new Set<DecoderChild>()
  /** Each with the timer that ends it. */
  readonly #free = new Map<DecoderChild, NodeJS.Timeout | null>()
  #isClosed = false

  constructor(options: LaneOptions) {
    this.#options = options
    this.#gate = new FairGate(options.max)
    this.#keepMin()
  }

  get pids(): number[] {
    return [...this.#children].flatMap(({ pid, isDead }) => (pid === undefined || isDead ? [] : [pid]))
  }

  /** As `DecoderChild`. */
  decode(frame: ValidFrame, options: PrepareOptions, asker: Asker): Promise<DecodedOrLarge> {
    return this.#gate.run(asker, async () => {
      const child = this.#take()
      try {
        return await child.decode(frame, options)
      } finally {
        this.#give(child)
      }
    })
  }

  /** What is being decoded fails. Twice without harm. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const timer of this.#free.values()) if (timer !== null) clearTimeout(timer)
    await Promise.all([...this.#children].map((child) => child.end()))
  }

  /** The gate lets in no more than there may be. */
  #take(): DecoderChild {
    if (this.#isClosed) throw new LeadlineError('EXECUTOR_FAILED', 'The decoder of images was ended')
    for (const [child, timer] of this.#free) {
      this.#free.delete(child)
      if (timer !== null) clearTimeout(timer)
      if (!child.isDead) return child
      this.#children.delete(child)
    }
    return this.#start()
  }

  #give(child: DecoderChild): void {
    if (child.isDead) this.#children.delete(child)
    else this.#rest(child)
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
