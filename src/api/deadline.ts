/** A timer that is set, put off and cleared; at most one is running. */
export class Deadline {
  #timer: NodeJS.Timeout | null = null

  get isSet(): boolean {
    return this.#timer !== null
  }

  set(afterMs: number, onReached: () => void): void {
    this.clear()
    this.#timer = setTimeout(onReached, afterMs)
  }

  /** Start the same wait again. */
  putOff(): void {
    this.#timer?.refresh()
  }

  clear(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }
}
