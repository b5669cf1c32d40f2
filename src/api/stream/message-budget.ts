/** The fastest camera with an ack and credit for each frame sends less than half of it. */
const mostPerSecond = 2000

/** How many messages of a client are read in a second: each is cheap, a million are not. What is more waits on its side. */
export class MessageBudget {
  #endsAtMs = -Infinity
  #taken = 0

  /** One more. How long to read no further, in milliseconds; 0: read on. */
  take(nowMs: number): number {
    if (nowMs >= this.#endsAtMs) {
      this.#endsAtMs = nowMs + 1000
      this.#taken = 0
    }
    this.#taken += 1
    return this.#taken < mostPerSecond ? 0 : this.#endsAtMs - nowMs
  }
}
