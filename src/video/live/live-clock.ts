/** Two frames are at least this far apart. */
const leastStepUs = 100

/**
 * The times of a live source's frames, in microseconds from its first: within one connection as the source says, between two
 * connections by the wall clock, so that a gap is as long as it was.
 */
export class LiveClock {
  #startMs: number | null = null
  #lastUs = -leastStepUs
  /** Of this connection; null before its first frame. */
  #begin: { timeUs: number; stampUs: number } | null = null

  /** A new connection: its stamps have nothing to do with those before. */
  reconnect(): void {
    this.#begin = null
  }

  /** Time of the next frame. `stampUs`: what the source says; null: nothing. `nowMs`: on any clock that does not jump. */
  next(stampUs: number | null, nowMs: number): number {
    this.#startMs ??= nowMs
    const elapsedUs = Math.round((nowMs - this.#startMs) * 1000)
    if (stampUs !== null) this.#begin ??= { timeUs: elapsedUs, stampUs }
    const saidUs =
      stampUs === null || this.#begin === null
        ? elapsedUs
        : stampUs - this.#begin.stampUs + this.#begin.timeUs
    this.#lastUs = Math.max(this.#lastUs + leastStepUs, saidUs)
    return this.#lastUs
  }
}
