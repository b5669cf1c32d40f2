import { LeadlineError } from '../../../errors.ts'
import type { FairGate } from '../../fairness/fair-gate.ts'
import type { Asker } from '../../fairness/fair-gate.ts'

/** What a lane sees of a process. */
export interface LaneProcess {
  readonly pid: number | undefined
  readonly isDead: boolean
  end(): Promise<void>
}

export interface LaneOptions<P> {
  /** Processes that stay. */
  min: number
  /** Lets in as many as there may be at most; lanes that share one share their number. */
  gate: FairGate
  start: () => P
}

const idleMs = 60_000

/** Some processes of a kind, for which pictures wait by fair turns. Whoever made a lane closes it. */
export class ProcessLane<P extends LaneProcess> {
  readonly #options: LaneOptions<P>
  readonly #processes = new Set<P>()
  /** Each with the timer that ends it. */
  readonly #free = new Map<P, NodeJS.Timeout | null>()
  #isClosed = false

  constructor(options: LaneOptions<P>) {
    this.#options = options
    this.#keepMin()
  }

  get pids(): number[] {
    return [...this.#processes].flatMap(({ pid, isDead }) => (pid === undefined || isDead ? [] : [pid]))
  }

  /** With a process that does nothing else meanwhile. */
  run<R>(asker: Asker, work: (child: P) => Promise<R>): Promise<R> {
    return this.#options.gate.run(asker, async () => {
      const child = this.#take()
      try {
        return await work(child)
      } finally {
        this.#give(child)
      }
    })
  }

  /** What is being done fails. Twice without harm. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const timer of this.#free.values()) if (timer !== null) clearTimeout(timer)
    await Promise.all([...this.#processes].map((child) => child.end()))
  }

  /** The gate lets in no more than there may be. */
  #take(): P {
    if (this.#isClosed) throw new LeadlineError('EXECUTOR_FAILED', 'What works on pictures was ended')
    for (const [child, timer] of this.#free) {
      this.#free.delete(child)
      if (timer !== null) clearTimeout(timer)
      if (!child.isDead) return child
      this.#processes.delete(child)
    }
    return this.#start()
  }

  #give(child: P): void {
    if (child.isDead) this.#processes.delete(child)
    else this.#rest(child)
    this.#keepMin()
  }

  #keepMin(): void {
    while (!this.#isClosed && this.#processes.size < this.#options.min) this.#rest(this.#start())
  }

  /** More than there always are end when there is nothing for them to do. */
  #rest(child: P): void {
    if (this.#processes.size <= this.#options.min) return void this.#free.set(child, null)
    const end = () => {
      this.#free.delete(child)
      this.#processes.delete(child)
      void child.end()
    }
    this.#free.set(child, setTimeout(end, idleMs).unref())
  }

  #start(): P {
    const child = this.#options.start()
    this.#processes.add(child)
    return child
  }
}
