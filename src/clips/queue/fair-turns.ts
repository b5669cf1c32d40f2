/**
 * Start-time fair queueing (Goyal et al., SIGCOMM 1996), every clip weighing the same: each owner's clips are one turn
 * apart, and nobody's lie before the turn that is being served.
 */
export class FairTurns {
  readonly #last = new Map<string | null, number>()
  #served = 0

  /** Where a clip stands; lower comes first, and of equal ones who came first. */
  take(owner: string | null): number {
    const turn = Math.max(this.#served, this.#last.get(owner) ?? 0) + 1
    this.#last.set(owner, turn)
    return turn
  }

  serve(turn: number): void {
    this.#served = Math.max(this.#served, turn)
    // Whose last turn was served stands where those do who were never here.
    for (const [owner, last] of this.#last) if (last <= this.#served) this.#last.delete(owner)
  }
}
