/** The server keeps what is not acknowledged: at 30 frames a second it is that of a quarter of a second. */
const everyOutcomes = 8
const everyMs = 250

/** Says now and then up to where the outcomes are here, so that the server need not keep them. */
export class Acknowledger {
  readonly #say: (seq: number) => void
  #seq = -1
  #unsaid = 0
  #timer: ReturnType<typeof setTimeout> | null = null

  constructor(say: (seq: number) => void) {
    this.#say = say
  }

  received(seq: number): void {
    this.#seq = seq
    this.#unsaid++
    if (this.#unsaid >= everyOutcomes) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), everyMs)
  }

  /** Say it now, if there is something to say. */
  flush(): void {
    const isNews = this.#unsaid > 0
    this.stop()
    if (isNews) this.#say(this.#seq)
  }

  /** Nobody needs to hear what was not said: the position of a resumed session says it as well. */
  stop(): void {
    this.#unsaid = 0
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }
}
