import { LeadlineError } from '../errors.ts'
import type { ValidFrame } from '../wire/frame.ts'
import type { ConfigMessage, ReadyMessage, ServerMessage, SessionPosition } from '../wire/protocol.ts'
import { backoffMs } from './backoff.ts'
import type { ConnectionEvent } from './connection-event.ts'
import type { Position } from './receipts.ts'
import type { Dial } from './reconnect.ts'
import { greet, reconnect } from './reconnect.ts'
import type { LinkListener, StreamLink } from './stream-link.ts'
import { silenceMs, Watchdog } from './watchdog.ts'

export interface RoamingOptions {
  dial: Dial
  firstHello(): ConfigMessage
  /** What the session goes on from, in parts. */
  context: readonly Uint8Array<ArrayBuffer>[]
  hello(position: SessionPosition): ConfigMessage
  position(): Position
  /** Whether the server has something to say. */
  isOwed(): boolean
  onOpen(link: StreamLink, ready: ReadyMessage): void
  /** Sends what the server lacks; how many frames that was. */
  onResumed(link: StreamLink, ready: ReadyMessage): { resent: number; replayed: number }
  onLost(): void
  onControl(message: ServerMessage): void
  onDepth(map: ValidFrame): void
  onContext(part: ValidFrame): void
  /** The stream is over. Nothing follows. */
  onFailed(error: LeadlineError): void
  onConnection(event: ConnectionEvent): void
  random(): number
}

/** Clients of a server that leaves do not come to the next one all at once. */
const longestMoveDelayMs = 1000

/** Keeps a stream on some socket: takes another when one is lost, or when its server is about to leave. */
export class Roaming {
  readonly #options: RoamingOptions
  readonly #over = new AbortController()
  readonly #watchdog: Watchdog
  readonly #listener: LinkListener
  #link: StreamLink | null = null
  #ready: ReadyMessage | null = null
  #isMoving = false
  /** On the clock of performance.now(); null while a socket works. */
  #lostAtMs: number | null = null
  /** Since when no socket brought anything but `ready`, and how many were lost since then. */
  #barrenSinceMs: number | null = null
  #barren = 0

  constructor(options: RoamingOptions) {
    this.#options = options
    this.#watchdog = new Watchdog({
      isOwed: () => options.isOwed(),
      ask: () => this.#link?.send({ type: 'ping' }),
      onSilence: () => this.#onSilence()
    })
    this.#listener = {
      control: (message) => this.#onControl(message),
      depth: (map) => {
        this.#heard()
        options.onDepth(map)
      },
      context: (part) => {
        this.#heard()
        options.onContext(part)
      },
      lost: (error) => this.#onLost(error)
    }
  }

  /** Null while there is none. */
  get link(): StreamLink | null {
    return this.#link
  }

  get ready(): ReadyMessage {
    if (this.#ready === null) throw new LeadlineError('CONNECTION_LOST', 'The stream is not open yet')
    return this.#ready
  }

  open(signal: AbortSignal): Promise<void> {
    const { dial, firstHello, context, onOpen } = this.#options
    return greet(0, {
      ...{ dial, hello: firstHello, context, signal: AbortSignal.any([signal, this.#over.signal]) },
      onReady: (link, ready) => {
        this.#take(link, ready)
        onOpen(link, ready)
      }
    })
  }

  end(reason: LeadlineError): void {
    this.#over.abort(reason)
    this.#watchdog.stop()
    this.#link?.end()
    this.#link = null
  }

  get #graceMs(): number {
    return this.#ready?.limits.graceMs ?? 0
  }

  #take(link: StreamLink, ready: ReadyMessage): void {
    this.#link?.leave()
    this.#link = link
    this.#ready = ready
    this.#isMoving = false
    link.listen(this.#listener)
    if (this.#graceMs > 0) this.#watchdog.start()
  }

  #heard(): void {
    this.#watchdog.heard()
    this.#barrenSinceMs = null
    this.#barren = 0
  }

  #onControl(message: ServerMessage): void {
    this.#heard()
    if (message.type === 'goAway') this.#leave(message.timeLeftMs)
    else this.#options.onControl(message)
  }

  #onSilence(): void {
    this.#link?.leave()
    const detail = `The server owed an answer and said nothing for ${silenceMs} ms`
    this.#onLost(new LeadlineError('CONNECTION_LOST', detail))
  }

  #onLost(error: LeadlineError): void {
    const nowMs = performance.now()
    this.#link = null
    this.#watchdog.stop()
    if (!this.#isOutlived(error)) return this.#options.onFailed(error)
    this.#lostAtMs = nowMs
    this.#options.onLost()
    this.#options.onConnection({ type: 'lost', error, graceMs: this.#graceMs })
    if (this.#isMoving) return
    this.#barrenSinceMs ??= nowMs
    if (nowMs >= this.#barrenSinceMs + this.#graceMs) return this.#options.onFailed(error)
    const firstDelayMs = backoffMs(this.#barren++, this.#options.random(), error.retryAfterMs)
    this.#move(firstDelayMs, this.#barrenSinceMs + this.#graceMs)
  }

  #isOutlived(error: LeadlineError): boolean {
    if (this.#graceMs === 0 || !error.isOutlived) return false
    // Unless a move of our own has replaced the socket, whoever did has the session now.
    return error.code !== 'SESSION_REPLACED' || this.#isMoving
  }

  /** The socket is good until then; meanwhile another is looked for. */
  #leave(timeLeftMs: number): void {
    this.#options.onConnection({ type: 'goAway', timeLeftMs })
    if (this.#isMoving || this.#graceMs === 0) return
    const firstDelayMs = this.#options.random() * Math.min(longestMoveDelayMs, timeLeftMs / 4)
    this.#move(firstDelayMs, performance.now() + timeLeftMs + this.#graceMs)
  }

  #move(firstDelayMs: number, untilMs: number): void {
    const { dial, hello, random } = this.#options
    this.#isMoving = true
    reconnect({
      ...{ dial, firstDelayMs, untilMs, random, signal: this.#over.signal },
      hello: () => {
        const { session, resumeToken: token } = this.ready
        return hello({ session, token, ...this.#options.position() })
      },
      onReady: (link, ready, attempts) => this.#onResumed(link, ready, attempts)
    }).catch((error: LeadlineError) => {
      this.#isMoving = false
      // As long as its socket works a stream goes on, wherever it might have gone.
      if (this.#link === null && !this.#over.signal.aborted) this.#options.onFailed(error)
    })
  }

  #onResumed(link: StreamLink, ready: ReadyMessage, attempts: number): void {
    const { onConnection, onResumed } = this.#options
    this.#take(link, ready)
    const counts = onResumed(link, ready)
    const ms = this.#lostAtMs === null ? 0 : performance.now() - this.#lostAtMs
    this.#lostAtMs = null
    const continuity = ready.resumed?.continuity ?? 'new'
    onConnection({ type: 'resumed', continuity, epoch: ready.epoch, attempts, ms, ...counts })
  }
}
