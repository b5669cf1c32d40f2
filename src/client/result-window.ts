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

  get outstanding(): number {
    return this.#outstanding
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

  /** A server that knows of no grant: what to grant it, and at least `count`. */
  renew(count: number): number {
    this.#outstanding = Math.max(0, this.#readAhead - this.#unread, count)
    return this.#outstanding
  }

  #grant(wanted: number): number {
    const missing = Math.max(0, wanted - this.#outstanding)
    this.#outstanding += missing
    return missing
  }
}
