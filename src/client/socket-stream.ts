import { LeadlineError } from '../errors.ts'
import type { Header } from '../frame.ts'
import { decodeMessage, encodeMessage, flags, headerBytes, kinds } from '../frame.ts'
import { LatestSlot } from '../latest-slot.ts'
import type { ClientMessage, ReadyMessage, ServerMessage, SummaryMessage } from '../protocol.ts'
import { parseServerMessage } from '../protocol.ts'
import type { SessionConfig } from '../session.ts'
import type { ClientSocket } from './socket.ts'
import { Deferred } from './deferred.ts'
import { depthValues } from './depth-values.ts'
import { Flight } from './flight.ts'
import type { DepthResult, Outcome } from './outcome.ts'
import { OutcomeQueue } from './outcome-queue.ts'
import { ResultWindow } from './result-window.ts'
import { closeFailure, serverFailure } from './server-failure.ts'
import type { DepthStream, FrameInput } from './depth-stream.ts'

interface EncodedFrame {
  seq: number
  message: Uint8Array<ArrayBuffer>
}

/** Above this many unsent bytes the network is slower than the source; at 5 Mbit/s they take a tenth of a second. */
const maxBufferedBytes = 65_536
/** With delivery latest, a server that gives no outcomes gets no more frames than these: two seconds of a camera. */
const maxUnsettled = 64
/** A socket does not say when it has sent its bytes; it is asked this often while a frame waits. */
const lookMs = 5

/** The stream's side of one open socket. */
export class SocketStream implements DepthStream {
  readonly #socket: ClientSocket
  /** Null with delivery lossless, where every frame is sent. */
  readonly #latest: LatestSlot<EncodedFrame> | null
  readonly #window: ResultWindow
  readonly #queue = new OutcomeQueue()
  readonly #flight = new Flight()
  readonly #greeting = new Deferred<ReadyMessage>()
  readonly #farewell = new Deferred<SummaryMessage>()
  readonly #flushes = new Map<string, Deferred<void>>()
  #ready: ReadyMessage | null = null
  #numSent = 0
  #numFlushes = 0
  /** Frames that were never sent. */
  #numSuperseded = 0
  /** Whether the last outcome was a drop. */
  #isAfterDrop = false
  #state: 'open' | 'closing' | 'ended' = 'open'

  constructor(socket: ClientSocket, config: SessionConfig, readAhead?: number) {
    this.#socket = socket
    const isLossless = config.delivery === 'lossless'
    this.#latest = isLossless
      ? null
      : new LatestSlot({
          hasRoom: () => socket.bufferedAmount <= maxBufferedBytes && this.unsettled <= maxUnsettled,
          pass: ({ message }) => socket.send(message),
          supersede: ({ seq }) => this.#supersede(seq),
          lookMs
        })
    const credit = readAhead ?? (isLossless ? 8 : 2)
    this.#window = new ResultWindow(credit)
    socket.addEventListener('message', ({ data }) => this.#onMessage(data))
    socket.addEventListener('close', ({ code, reason }) => this.#end(closeFailure(code, reason)))
    this.#say({ type: 'config', ...config, credit })
  }

  /** Resolves when the server said `ready`. */
  get opened(): Promise<ReadyMessage> {
    return this.#greeting.promise
  }

  get ready(): ReadyMessage {
    if (this.#ready === null) throw new LeadlineError('CONNECTION_LOST', 'The stream is not open yet')
    return this.#ready
  }

  get unsettled(): number {
    return this.#flight.unsettled
  }

  get results(): AsyncIterable<DepthResult> {
    return { [Symbol.asyncIterator]: () => this.#readResults() }
  }

  get outcomes(): AsyncIterable<Outcome> {
    return { [Symbol.asyncIterator]: () => this.#readOutcomes() }
  }

  async send(frame: FrameInput): Promise<number> {
    this.#refuseTooLarge(frame)
    await this.#flight.room()
    if (this.#state !== 'open')
      throw new LeadlineError('REQUEST_INVALID', 'The stream was closed; no frame can follow')
    const seq = this.#numSent++
    const header: Header = {
      ...{ kind: kinds.frame, flags: 0, seq, timestampUs: frame.timestampUs ?? Date.now() * 1000, epoch: 0 },
      ...{ codec: frame.codec, dtype: 'u8', width: frame.width ?? 0, height: frame.height ?? 0 },
      ...{ scale: 1, offset: 0, rangeMin: 0, rangeMax: 0, quantity: 'none', queueUs: 0, computeUs: 0 }
    }
    this.#flight.depart(seq, performance.now())
    const message = encodeMessage(header, frame.data)
    if (this.#latest === null) this.#socket.send(message)
    else this.#latest.put({ seq, message })
    return seq
  }

  flush(): Promise<void> {
    // A stream that ends flushes by itself, and answers nothing else any more.
    if (this.#state !== 'open') return this.#farewell.promise.then(() => undefined)
    const flushed = new Deferred<void>()
    const id = String(this.#numFlushes++)
    this.#flushes.set(id, flushed)
    this.#say({ type: 'flush', id })
    this.#grant(this.#window.cover(this.unsettled))
    return flushed.promise
  }

  reset(): void {
    if (this.#state === 'open') this.#say({ type: 'reset' })
  }

  close(): Promise<SummaryMessage> {
    if (this.#state === 'open') {
      this.#state = 'closing'
      this.#say({ type: 'close' })
      this.#grant(this.#window.cover(this.unsettled))
    }
    return this.#farewell.promise
  }

  abort(reason?: unknown): void {
    this.#end(new LeadlineError('CONNECTION_LOST', 'The stream was aborted on this side', { cause: reason }))
  }

  #onMessage(data: unknown): void {
    if (this.#state === 'ended') return
    try {
      if (typeof data !== 'string') return this.#onResult(new Uint8Array(data as ArrayBuffer))
      const message = parseServerMessage(data)
      if (message !== null) this.#onControl(message)
    } catch (error) {
      this.#end(
        error instanceof LeadlineError
          ? error
          : new LeadlineError('INTERNAL', String(error), { cause: error })
      )
    }
  }

  #onControl(message: ServerMessage): void {
    if (message.type === 'ready') {
      this.#ready = message
      this.#flight.allow(this.#latest === null ? message.limits.maxInFlight : Infinity)
      this.#greeting.resolve(message)
    }
    if (message.type === 'flushed') {
      this.#flushes.get(message.id)?.resolve()
      this.#flushes.delete(message.id)
    }
    if (message.type === 'drop') {
      const { seq, reason } = message
      this.#settle(seq, (latencyMs) => ({ type: 'drop', seq, latencyMs, reason }))
    }
    if (message.type === 'error') this.#onError(message)
    if (message.type === 'summary') this.#end(null, this.#wholeSummary(message))
  }

  #onError(message: Extract<ServerMessage, { type: 'error' }>): void {
    const error = serverFailure(message)
    const { seq } = message
    if (seq === undefined) this.#end(error)
    else this.#settle(seq, (latencyMs) => ({ type: 'error', seq, latencyMs, error }))
  }

  #onResult(message: Uint8Array): void {
    const { header, payload } = decodeMessage(message)
    if (header.kind !== kinds.depth) return
    const { seq } = header
    const values = () => depthValues({ header, payload })
    this.#window.arrived()
    const isHeard = this.#settle(seq, (latencyMs) => ({
      type: 'result',
      seq,
      latencyMs,
      header,
      payload,
      isBlank: (header.flags & flags.blank) !== 0,
      values
    }))
    if (!isHeard) this.#grant(this.#window.read())
  }

  /** False for a frame that is not on its way: of such an outcome nobody hears. */
  #settle(seq: number, outcome: (latencyMs: number) => Outcome): boolean {
    const told = this.#flight.settle(seq, performance.now(), outcome)
    for (const one of told ?? []) this.#tell(one)
    this.#latest?.look()
    return told !== null
  }

  #tell(outcome: Outcome): void {
    if (outcome.type === 'result' && this.#isAfterDrop) outcome.header.flags |= flags.droppedBefore
    this.#isAfterDrop = outcome.type === 'drop'
    this.#queue.push(outcome)
  }

  #supersede(seq: number): void {
    this.#numSuperseded++
    this.#settle(seq, (latencyMs) => ({ type: 'drop', seq, latencyMs, reason: 'superseded' }))
  }

  /** The server does not know of frames that were never sent. */
  #wholeSummary(summary: SummaryMessage): SummaryMessage {
    const { frames, drops } = summary
    return { ...summary, frames: frames + this.#numSuperseded, drops: drops + this.#numSuperseded }
  }

  async *#readOutcomes(): AsyncGenerator<Outcome, void, undefined> {
    for (;;) {
      const outcome = await this.#queue.take()
      if (outcome === null) return
      if (outcome.type === 'result') this.#grant(this.#window.read())
      yield outcome
    }
  }

  async *#readResults(): AsyncGenerator<DepthResult, void, undefined> {
    for await (const outcome of this.#readOutcomes()) if (outcome.type === 'result') yield outcome
  }

  #grant(results: number): void {
    if (results > 0 && this.#state !== 'ended') this.#say({ type: 'credit', results })
  }

  /** Settle everything that is open, once: with the summary after a close, else with what went wrong. */
  #end(error: LeadlineError | null, summary?: SummaryMessage): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    const failure = error ?? new LeadlineError('CONNECTION_LOST', 'The stream was closed')
    this.#latest?.stop()
    for (const outcome of this.#flight.end(failure, performance.now())) this.#tell(outcome)
    this.#queue.end(error)
    this.#greeting.reject(failure)
    for (const flushed of this.#flushes.values()) flushed.reject(failure)
    if (summary === undefined) this.#farewell.reject(failure)
    else this.#farewell.resolve(summary)
    this.#socket.close(1000)
  }

  #refuseTooLarge({ data }: FrameInput): void {
    const limit = this.#ready?.limits.maxFrameBytes ?? Infinity
    const bytes = data.byteLength + headerBytes
    if (bytes <= limit) return
    throw new LeadlineError(
      'FRAME_TOO_LARGE',
      `A frame of ${bytes} bytes with its header; the server takes at most ${limit}. Send it smaller, or as jpeg`
    )
  }

  /** Control messages keep their place: a frame that waits goes before them. */
  #say(message: ClientMessage): void {
    if (message.type !== 'credit') this.#latest?.flush()
    this.#socket.send(JSON.stringify(message))
  }
}
