import type { Header } from '../../src/wire/frame.ts'
import type { Delivery, DropReason, Mode, ParkReason } from '../../src/session.ts'
import { noLine, readDepth } from './picture.ts'
import { codeOf, isOver } from './raw-end.ts'
import type { End } from './raw-end.ts'
import { frameOf, historyFlag } from './raw-frame.ts'
import { RawProgress } from './raw-progress.ts'
import { RawSocket } from './raw-socket.ts'
import type { Told } from './raw-socket.ts'
import { digestOf } from './raw-told.ts'
import type { Recovered, Resumed } from './raw-told.ts'
import { noteRefusal, SessionLog } from './session-log.ts'
import type { Crowd } from './session-log.ts'

export interface RawWish {
  /** The client's own name for the session. */
  key: string
  model: string
  delivery: Delivery
  /** @default the model's first */
  mode?: Mode
  /** Other frames than the pictures, whose depth nobody can tell: for clients whose results must be large. */
  large: boolean
}

/** What a client keeps of a session, whatever its sockets do. */
export class RawSession {
  readonly #crowd: Crowd
  readonly #wish: RawWish
  #log: SessionLog | null = null
  #socket: RawSocket | null = null
  #gateway = 0
  /** Null while the socket has not ended. */
  #end: End | null = null
  #wake: () => void = () => {}
  #isReady = false
  #token = ''
  #maxInFlight = 1
  #progress = new RawProgress(0)
  #ackTimer: NodeJS.Timeout | undefined
  #failure: string | null = null
  #isClosing = false
  /** Why it has no device memory; null: it has some. */
  #parkedFor: ParkReason | null = null

  constructor(crowd: Crowd, wish: RawWish) {
    this.#crowd = crowd
    this.#wish = wish
  }

  get key(): string {
    return this.#wish.key
  }

  get isOver(): boolean {
    return this.#log?.isOver ?? false
  }

  get isAttached(): boolean {
    return this.#isReady && this.#end === null
  }

  /** Whether the servers say that they keep it when its socket ends. */
  get isResumable(): boolean {
    return this.graceMs > 0
  }

  get graceMs(): number {
    return this.#log?.record.graceMs ?? 0
  }

  /** Open or resume by this gateway. Resolves with whether the server said `ready`. */
  async attach(gateway: number): Promise<boolean> {
    this.#end = null
    this.#isReady = false
    this.#isClosing = false
    this.#failure = null
    this.#gateway = gateway
    let socket: RawSocket | null = null
    const isCurrent = (): boolean => socket === this.#socket
    socket = await RawSocket.connect(this.#crowd.doors[gateway]!, {
      onTold: (message) => isCurrent() && this.#hear(message),
      onDepth: (header, payload) => isCurrent() && this.#receive(header, payload),
      onClosed: (end) => isCurrent() && this.#closed(end)
    })
    if (socket === null) return false
    this.#socket = socket
    socket.say(this.#config())
    await this.#until(() => this.#isReady || this.#end !== null)
    return this.#isReady
  }

  /** One frame more, if it may be sent. */
  sendFrame(): void {
    if (!this.isAttached || this.#isClosing || this.#failure !== null) return
    if (this.#wish.delivery === 'lossless' && this.#progress.openCount >= this.#maxInFlight) return
    this.#parkedFor = null
    this.#send(this.#progress.next())
  }

  flush(): void {
    if (this.isAttached) this.#socket?.say({ type: 'flush', id: 'f' })
  }

  reset(): void {
    if (this.isAttached) this.#socket?.say({ type: 'reset' })
  }

  detach(): void {
    if (this.isAttached) this.#socket?.say({ type: 'detach' })
  }

  pause(): void {
    this.#socket?.pause()
  }

  resume(): void {
    this.#socket?.resume()
  }

  crash(): void {
    this.#socket?.crash()
  }

  /** In order: until the summary, or until the socket has ended otherwise. */
  async close(): Promise<void> {
    this.#isClosing = true
    if (this.isAttached) this.#log?.note({ type: 'closing' })
    this.#socket?.say({ type: 'close' })
    this.#ack()
    await this.untilCut()
  }

  /** Resolves with why; null: its socket ended before. */
  async untilParked(): Promise<ParkReason | null> {
    await this.#until(() => this.#parkedFor !== null || this.#end !== null)
    return this.#parkedFor
  }

  async untilCut(): Promise<void> {
    await this.#until(() => this.#end !== null)
  }

  /** Nobody will come back to it. */
  abandon(): void {
    if (!this.isOver) this.#log?.note({ type: 'ended', how: 'abandoned', code: '' })
  }

  fail(code: string): void {
    if (!this.isOver) this.#log?.note({ type: 'ended', how: 'failed', code })
  }

  /** Why the last socket ended, by the code of the error. */
  get lastCode(): string {
    return codeOf(this.#end, this.#failure)
  }

  /** Whether the way the last socket ended, or was refused, says that there is nothing to come back to. */
  get isLost(): boolean {
    return isOver(this.lastCode, this.#isReady)
  }

  #config(): object {
    const { delivery, large, mode, model } = this.#wish
    if (this.#log !== null) {
      const resume = { session: this.#log.record.id, token: this.#token, ...this.#progress.position }
      return { type: 'config', resume }
    }
    const output = { format: 'f32', size: large ? 'source' : 'network' }
    // One that hangs for longer than its session is kept cannot count on it.
    const resumable = this.#crowd.canResume && !large ? { resumable: true } : {}
    return { type: 'config', model, ...(mode && { mode }), delivery, sceneCut: false, output, ...resumable }
  }

  #hear(message: Told): void {
    switch (message.type) {
      case 'ready':
        return this.#ready(message)
      case 'drop':
        return this.#settle(message.seq as number, () => ({
          type: 'drop',
          seq: message.seq as number,
          reason: message.reason as DropReason
        }))
      case 'error':
        return this.#hearError(message)
      case 'reset':
        this.#progress.begin(message.epoch as number)
        return this.#log?.note({ type: 'reset', epoch: message.epoch as number })
      case 'parked':
        this.#parkedFor = message.reason as ParkReason
        return this.#wake()
      case 'recovered':
        return this.#recovered(message as Told & Recovered)
      case 'flushed':
        return this.#log?.note({ type: 'flushed', ...digestOf(message) })
      case 'summary':
        return this.#log?.note({ type: 'ended', how: 'summary', code: '' })
    }
  }

  #recovered({ alignment = noLine, continuity, epoch, seq }: Recovered): void {
    this.#progress.begin(epoch)
    this.#log?.note({ type: 'recovered', seq, epoch, continuity, alignment })
  }

  #hearError(message: Told): void {
    const code = message.code as string
    const seq = message.seq as number | undefined
    if (seq === undefined) this.#failure = code
    else this.#settle(seq, () => ({ type: 'error', seq, code }))
  }

  #ready(ready: Told): void {
    this.#token = ready.resumeToken as string
    const limits = ready.limits as { maxInFlight: number; graceMs?: number }
    this.#maxInFlight = limits.maxInFlight
    const resumed = ready.resumed as Resumed | undefined
    if (this.#log === null) this.#opened(ready, limits.graceMs ?? 0)
    else if (resumed) this.#goOn(ready, resumed)
    this.#isReady = true
    this.#wake()
  }

  #opened(ready: Told, graceMs: number): void {
    const { key, delivery, large, model } = this.#wish
    const told = { isTold: model === 'fake' && !large, hearsEpochs: true }
    this.#log = new SessionLog({ key, id: ready.session as string, delivery, graceMs, ...told })
    this.#crowd.sessions.push(this.#log.record)
    this.#log.note({ type: 'opened', epoch: ready.epoch as number })
    this.#progress = new RawProgress(ready.epoch as number)
  }

  #goOn(ready: Told, { after, continuity, digest, replay }: Resumed): void {
    const epoch = ready.epoch as number
    this.#log?.note({ type: 'resumed', after, continuity, epoch, digest })
    if (replay) {
      const frames = this.#progress.lastDepths(replay.frames)
      for (const seq of frames) this.#socket?.send(frameOf(this.#wish, seq, historyFlag))
      this.#socket?.say({ type: 'replayed' })
    }
    for (const seq of this.#progress.openAfter(after)) this.#send(seq)
  }

  #receive({ epoch, seq }: Header, payload: Uint8Array): void {
    const isTold = this.#log?.record.isTold === true
    this.#progress.seeDepth(epoch, seq)
    const depth = isTold ? (readDepth(payload, this.key, seq) ?? 'foreign') : null
    this.#settle(seq, () => ({ type: 'result', seq, epoch, depth }))
  }

  #settle(seq: number, entry: () => Parameters<SessionLog['note']>[0]): void {
    this.#progress.settle(seq)
    this.#log?.note(entry())
    if (!this.isResumable) return
    if (this.#isClosing || this.#progress.owesAck) this.#ack()
    else this.#ackTimer ??= setTimeout(() => this.#ack(), ackMs)
  }

  #ack(): void {
    clearTimeout(this.#ackTimer)
    this.#ackTimer = undefined
    const seq = this.isAttached ? this.#progress.ack() : null
    if (seq !== null) this.#socket?.say({ type: 'ack', seq })
  }

  #send(seq: number): void {
    this.#log?.note({ type: 'sent', seq })
    this.#socket?.send(frameOf(this.#wish, seq))
  }

  #closed(end: End): void {
    const { code, reason, byUs } = end
    this.#end = end
    if (this.#log === null) noteRefusal(this.#crowd, this.lastCode)
    else if (!this.isOver)
      this.#log.note({ type: 'cut', by: byUs ? 'client' : 'server', gateway: this.#gateway, code, reason })
    this.#wake()
  }

  async #until(isMet: () => boolean): Promise<void> {
    while (!isMet()) await new Promise<void>((resolve) => (this.#wake = resolve))
  }
}

const ackMs = 250
