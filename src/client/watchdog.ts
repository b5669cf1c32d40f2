/** A server that owes something and is silent for so long is asked whether it is there. */
const askMs = 10_000
/** And this much later it is taken for gone: the socket of a network that went away says nothing for many minutes. */
const giveUpMs = 10_000

export interface WatchdogOptions {
  /** Whether the server has something to say. */
  isOwed(): boolean
  ask(): void
  onSilence(): void
}

/** Notices a server that does not answer over a socket that looks open. */
export class Watchdog {
  readonly #options: WatchdogOptions
  #timer: ReturnType<typeof setTimeout> | null = null
  #heard = false

  constructor(options: WatchdogOptions) {
    this.#options = options
  }

  /** Something came. */
  heard(): void {
    this.#heard = true
  }

  start(): void {
    this.stop()
    this.#heard = false
    this.#timer = setTimeout(() => this.#look(), askMs)
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  #look(): void {
    if (this.#heard || !this.#options.isOwed()) return this.start()
    this.#options.ask()
    this.#timer = setTimeout(() => (this.#heard ? this.start() : this.#options.onSilence()), giveUpMs)
  }
}

/** How long a server may be silent that owes something. */
export const silenceMs = askMs + giveUpMs
