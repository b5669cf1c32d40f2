import type { ClipQueue, RunTurn, TurnEnd } from './clip-queue.ts'
import { FairTurns } from './fair-turns.ts'

interface Waiting {
  id: string
  turn: number
}

/** The queue of one process. */
export class MemoryClipQueue implements ClipQueue {
  readonly #turns = new FairTurns()
  #run: RunTurn | null = null
  #waiting: Waiting[] = []
  #served: { id: string; abort: AbortController; ended: Promise<void> } | null = null
  readonly #later = new Set<NodeJS.Timeout>()
  #isClosed = false

  async add(id: string, owner: string | null): Promise<void> {
    if (this.#served?.id === id || this.#waiting.some((waiting) => waiting.id === id)) return
    this.#enter({ id, turn: this.#turns.take(owner) })
  }

  async waiting(): Promise<number> {
    return this.#waiting.length
  }

  async counts() {
    return {
      ...{ waiting: this.#waiting.length, active: this.#served === null ? 0 : 1 },
      delayed: this.#later.size
    }
  }

  serve(run: RunTurn): void {
    this.#run = run
    this.#next()
  }

  async cancel(id: string): Promise<void> {
    this.#waiting = this.#waiting.filter((waiting) => waiting.id !== id)
    if (this.#served?.id !== id) return
    this.#served.abort.abort()
    await this.#served.ended
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const timer of this.#later) clearTimeout(timer)
    this.#served?.abort.abort()
    await this.#served?.ended
  }

  #enter(waiting: Waiting): void {
    const at = this.#waiting.findIndex(({ turn }) => turn > waiting.turn)
    this.#waiting.splice(at < 0 ? this.#waiting.length : at, 0, waiting)
    this.#next()
  }

  #next(): void {
    if (this.#served !== null || this.#isClosed || this.#run === null) return
    const next = this.#waiting.shift()
    if (next === undefined) return
    const { id, turn } = next
    this.#turns.serve(turn)
    const abort = new AbortController()
    const ended = this.#run({ id, signal: abort.signal, tell: () => undefined }).then((end) => {
      this.#served = null
      if (!abort.signal.aborted) this.#comeAgain(next, end)
      this.#next()
    })
    this.#served = { id, abort, ended }
  }

  #comeAgain(waiting: Waiting, end: TurnEnd): void {
    if (end === 'over') return
    const timer = setTimeout(() => {
      this.#later.delete(timer)
      this.#enter(waiting)
    }, end.againInMs)
    this.#later.add(timer)
  }
}
