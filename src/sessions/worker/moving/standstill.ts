/** What comes for a session that stands still waits, in order, until it goes on here or elsewhere. */
export class Standstill {
  #waiting: (() => void)[] | null = null

  begin(): void {
    this.#waiting ??= []
  }

  /** False: it does not stand still. */
  postpone(call: () => void): boolean {
    this.#waiting?.push(call)
    return this.#waiting !== null
  }

  /** It goes on here, or is over. Twice does no harm. */
  end(): void {
    const waiting = this.#waiting ?? []
    this.#waiting = null
    for (const call of waiting) call()
  }

  /** It goes on elsewhere, and what waited comes there. */
  drop(): void {
    this.#waiting = null
  }
}
