/** In the first byte of an entry's head: more follow at once, and the reader is not told of each. */
export const steadyBit = 0x80

/** Entries that come so soon after one another are a steady stream: 10 frames a second and more. */
const steadyGapMs = 100
/** For so long after an entry that says so, its stream is read without being told of. */
const promisedMs = 1000
/** And the reader holds to it longer, by what the way to it may take. */
export const readOnMs = 2 * promisedMs

/** Of the entries of one stream, which ones its reader must be told of. */
export class Pace {
  #lastMs = -Infinity
  #isSteady = false

  /** Of an entry that is appended now. */
  next(nowMs: number): { isSteady: boolean; mustRing: boolean } {
    const gapMs = nowMs - this.#lastMs
    const mustRing = !this.#isSteady || gapMs >= promisedMs
    this.#lastMs = nowMs
    this.#isSteady = gapMs < steadyGapMs
    return { isSteady: this.#isSteady, mustRing }
  }
}
