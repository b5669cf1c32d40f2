/** What is missing at one look may be on its way; what is missing at two in a row is gone. State is the last look. */
export class Twice {
  #last: ReadonlySet<string> = new Set()

  /** Of these, the ones that were among the last as well. */
  look(missing: readonly string[]): string[] {
    const again = missing.filter((id) => this.#last.has(id))
    this.#last = new Set(missing)
    return again
  }
}
