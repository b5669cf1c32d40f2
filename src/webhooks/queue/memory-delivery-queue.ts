import pLimit from 'p-limit'
import type { DeadLetter, Delivery } from '../delivery.ts'
import { jittered } from '../sending/retries.ts'
import { maxDeadLetters, maxTries } from './delivery-queue.ts'
import type { DeliveryQueue, DeliveryWork, QueueOptions } from './delivery-queue.ts'

interface Pending {
  delivery: Delivery
  onSafe: () => Promise<void>
  tries: number
  timer: NodeJS.Timeout | null
}

/** The queue of one process. Dead letters go with it. */
export class MemoryDeliveryQueue implements DeliveryQueue {
  readonly #options: QueueOptions
  readonly #pending = new Map<string, Pending>()
  /** The last last. */
  readonly #dead = new Map<string, DeadLetter>()
  readonly #inTurn = pLimit(maxTries)
  readonly #closing = new AbortController()
  readonly #running = new Set<Promise<void>>()
  #work: DeliveryWork | null = null

  constructor(options: QueueOptions) {
    this.#options = options
  }

  async add(delivery: Delivery, onSafe: () => Promise<void>): Promise<void> {
    if (this.#closing.signal.aborted || this.#pending.has(delivery.id)) return
    if (this.#dead.has(delivery.id)) return onSafe()
    const pending = { delivery, onSafe, tries: 0, timer: null }
    this.#pending.set(delivery.id, pending)
    this.#start(pending)
  }

  serve(work: DeliveryWork): void {
    this.#work = work
    for (const pending of this.#pending.values()) this.#start(pending)
  }

  async counts() {
    const delayed = [...this.#pending.values()].filter(({ timer }) => timer !== null).length
    const { activeCount: active, pendingCount } = this.#inTurn
    return { waiting: pendingCount, active, delayed, failed: this.#dead.size }
  }

  async deadLetters(owner: string | null): Promise<DeadLetter[]> {
    return [...this.#dead.values()].filter((letter) => isOf(letter, owner)).reverse()
  }

  async resend(id: string, owner: string | null): Promise<boolean> {
    const letter = this.#dead.get(id)
    if (letter === undefined || !isOf(letter, owner)) return false
    this.#dead.delete(id)
    await this.add(letter.delivery, async () => undefined)
    return true
  }

  async close(): Promise<void> {
    this.#closing.abort()
    for (const { timer } of this.#pending.values()) if (timer !== null) clearTimeout(timer)
    await Promise.all(this.#running)
  }

  #start(pending: Pending): void {
    const work = this.#work
    if (work === null || this.#closing.signal.aborted) return
    const running = this.#inTurn(() => this.#try(pending, work)).finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  async #try(pending: Pending, { attempt, onDead }: DeliveryWork): Promise<void> {
    const { delivery, onSafe } = pending
    const { signal } = this.#closing
    if (signal.aborted) return
    const end = await attempt(delivery, signal)
    if (signal.aborted && end.kind === 'failed') return
    pending.tries++
    if (end.kind === 'failed') {
      const delayMs = this.#options.delaysMs[pending.tries - 1]
      if (!end.isFinal && delayMs !== undefined) return this.#later(pending, delayMs)
      const letter = { delivery, tries: pending.tries, reason: end.reason, failedAtMs: Date.now() }
      this.#bury(letter)
      onDead(letter)
    }
    this.#pending.delete(delivery.id)
    await onSafe()
  }

  #later(pending: Pending, delayMs: number): void {
    const inMs = jittered(delayMs, this.#options.random())
    pending.timer = setTimeout(() => this.#start(pending), inMs).unref()
  }

  #bury(letter: DeadLetter): void {
    this.#dead.set(letter.delivery.id, letter)
    const [oldest] = this.#dead.keys()
    if (this.#dead.size > maxDeadLetters && oldest !== undefined) this.#dead.delete(oldest)
  }
}

function isOf({ delivery }: DeadLetter, owner: string | null): boolean {
  return owner === null || delivery.owner === owner
}
