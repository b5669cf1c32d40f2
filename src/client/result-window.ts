/** How many results the server may send: enough to keep `readAhead` between it and the reader, never more. */
export class ResultWindow {
  readonly #readAhead: number
  /** Granted, not here yet. */
  #outstanding: number
  /** Here, not read yet. */
  #unread = 0

  constructor(readAhead: number) {
    this.#readAhead = readAhead
    this.#outstanding = readAhead
  }

  arrived(): void {
    this.#outstanding--
    this.#unread++
  }

  /** One result was read: how many to grant now. */
  read(): number {
    this.#unread--
    return this.#grant(this.#readAhead - this.#unread)
  }

  /** `count` results must come whether they are read or not: how many to grant now. */
  cover(count: number): number {
    return this.#grant(count)
  }

  #grant(wanted: number): number {
    const missing = Math.max(0, wanted - this.#outstanding)
    this.#outstanding += missing
    return missing
  }
}
