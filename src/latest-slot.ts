export interface LatestSlotOptions<T> {
  /** Whether what is passed on now would find room. */
  hasRoom: () => boolean
  pass: (item: T) => void
  /** The item is never passed on: a newer one took its place. */
  supersede: (item: T) => void
  /** How often room is looked for while an item waits; whoever knows that there is some says so with `look`. */
  lookMs: number
}

/** A place for one, where only the newest matters: what finds no room waits, and gives way to the next that comes. */
export class LatestSlot<T> {
  readonly #options: LatestSlotOptions<T>
  #waiting: { item: T } | null = null
  #timer: ReturnType<typeof setTimeout> | null = null

  constructor(options: LatestSlotOptions<T>) {
    this.#options = options
  }

  get isWaiting(): boolean {
    return this.#waiting !== null
  }

  put(item: T): void {
    const old = this.#waiting
    this.#waiting = { item }
    if (old !== null) this.#options.supersede(old.item)
    this.look()
  }

  /** Pass on what waits if there is room; else look again a little later. */
  look(): void {
    if (this.#waiting === null) return
    if (this.#options.hasRoom()) return this.flush()
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      this.look()
    }, this.#options.lookMs)
  }

  /** Pass on what waits, whether there is room or not: something follows that must come after it. */
  flush(): void {
    const waiting = this.#waiting
    this.stop()
    if (waiting !== null) this.#options.pass(waiting.item)
  }

  /** Forget what waits. */
  stop(): void {
    this.#waiting = null
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }
}
