import type { WorkerEvent, WorkerLink } from '../link.ts'

interface VoiceOptions {
  sessionId: string
  token: number
  link: WorkerLink
}

/** What a session says to the gateway that holds it, as long as one does. */
export class Voice {
  readonly #options: VoiceOptions
  #token: number
  #isHeard = true
  #isSilent = false
  #isAwaiting = false

  constructor(options: VoiceOptions) {
    this.#options = options
    this.#token = options.token
  }

  /** By which the gateway holds the session. */
  get token(): number {
    return this.#token
  }

  /** Whether some gateway hears what is said, as far as can be told from here. */
  get isHeard(): boolean {
    return this.#isHeard
  }

  /** The right to speak for the session is gone, or was never had. */
  get isSilent(): boolean {
    return this.#isSilent
  }

  /** The session was moved here, and its gateway has not come after it. */
  get isAwaiting(): boolean {
    return this.#isAwaiting
  }

  say(event: WorkerEvent): void {
    if (this.#isSilent || !this.#isHeard) return
    this.#options.link.emit(this.#options.sessionId, this.#token, event)
  }

  /** Another gateway holds the session, and hears from here on. */
  turnTo(token: number): void {
    this.say({ type: 'taken' })
    this.#token = token
    this.joined()
  }

  /** The gateway has yet to come. */
  await(): void {
    this.#isAwaiting = true
  }

  joined(): void {
    this.#isHeard = true
    this.#isAwaiting = false
  }

  /** Nobody hears what is said until somebody takes the session. */
  detach(): void {
    if (!this.#isHeard) return
    this.#isHeard = false
    this.#options.link.hush(this.#options.sessionId, this.#token)
  }

  silence(): void {
    this.#isSilent = true
  }
}
