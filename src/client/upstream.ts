import { LatestSlot } from '../latest-slot.ts'
import type { Command } from './commands.ts'
import { Commands } from './commands.ts'
import type { EncodedFrame } from './flight.ts'
import { Flight } from './flight.ts'
import type { Outcome } from './outcome.ts'
import type { StreamLink } from './stream-link.ts'

/** Above this many unsent bytes the network is slower than the source; at 5 Mbit/s they take a tenth of a second. */
const maxBufferedBytes = 65_536
/** With delivery latest, a server that gives no outcomes gets no more frames than these: two seconds of a camera. */
const maxUnsettled = 64
/** A socket does not say when it has sent its bytes; it is asked this often while a frame waits. */
const lookMs = 5

export interface UpstreamOptions {
  isLossless: boolean
  /** Of frames without outcome, above which none is sent. */
  maxBytes: number
  /** What became of a frame, in seq order. */
  tell(outcome: Outcome): void
  /** Whether the server may send a depth map. */
  isGranted(): boolean
  /** Whoever sends waits for whoever reads: the server holds depth maps back until some are read. */
  onHeld(): void
}

/** All that goes to the server, in order, over one socket after the other. */
export class Upstream {
  readonly #options: UpstreamOptions
  readonly #flight: Flight
  readonly #commands = new Commands()
  /** Null with delivery lossless, where every frame is sent. */
  readonly #latest: LatestSlot<EncodedFrame> | null
  #link: StreamLink | null = null
  #nextSeq = 0
  #isHeld = false
  /** Between two frames, as the server advises; and when the last one left. */
  #paceMs = 0
  #passedAtMs = 0

  constructor(options: UpstreamOptions) {
    this.#options = options
    this.#flight = new Flight(options.isLossless ? options.maxBytes : Infinity)
    this.#latest = options.isLossless
      ? null
      : new LatestSlot({
          hasRoom: () => this.#hasRoom,
          pass: ({ message }) => {
            this.#passedAtMs = performance.now()
            this.#link?.send(message)
          },
          supersede: ({ seq }) => this.#supersede(seq),
          lookMs
        })
  }

  get unsettled(): number {
    return this.#flight.unsettled
  }

  /** The stream is open over this socket; another has sent frames up to `sent`, and has heard outcomes up to `heard` of `settled`. */
  open(link: StreamLink, maxInFlight: number, sent: number, settled = sent, heard = sent): void {
    this.#link = link
    this.#nextSeq = sent + 1
    this.#flight.inherit(sent, settled, heard, performance.now())
    this.#flight.allow(this.#options.isLossless ? maxInFlight : Infinity)
  }

  /** At most so many outcomes are to come, those of frames that another stream sent among them. */
  get owed(): number {
    return this.#flight.owed
  }

  /** Send no more than so many frames a second; null: any. */
  pace(fps: number | null): void {
    this.#paceMs = fps === null ? 0 : 1000 / fps
  }

  /** The socket is gone. What is taken meanwhile waits. */
  lose(): void {
    this.#link = null
  }

  /**
   * Go on over this socket, whose server has every frame up to `after`: what it lacks is sent again, in order. With latest
   * that is the newest frame. How many frames those were.
   */
  resume(link: StreamLink, after: number): number {
    this.#link = link
    this.#latest?.stop()
    const frames = this.#wanted(after)
    const commands = [...this.#commands.unheard(after)]
    for (const { seq, message } of frames) {
      while (commands[0] !== undefined && commands[0].before <= seq) link.send(commands.shift()!.command)
      link.send(message)
    }
    for (const { command } of commands) link.send(command)
    return frames.length
  }

  /** Resolves when one more frame may be sent; `send` must follow at once. */
  room(): Promise<void> {
    const room = this.#flight.room()
    if (!this.#flight.isAwaited) this.#isHeld = false
    this.#lookWhyHeld()
    return room
  }

  send(encode: (seq: number) => Uint8Array<ArrayBuffer>): number {
    const seq = this.#nextSeq++
    const frame = { seq, message: encode(seq) }
    this.#flight.depart(frame, performance.now())
    if (this.#latest === null) this.#link?.send(frame.message)
    else this.#latest.put(frame)
    return seq
  }

  /** Commands keep their place: a frame that waits goes before them. */
  command(command: Command): void {
    this.#latest?.flush()
    this.#commands.add(command, this.#nextSeq)
    this.#link?.send(command)
  }

  answered(type: 'flush' | 'update' | 'checkpoint', id: string): void {
    this.#commands.answered(type, id)
  }

  wasReset(): void {
    this.#commands.reset()
  }

  frame(seq: number): EncodedFrame | null {
    return this.#flight.frame(seq)
  }

  /** False for a frame that is not on its way: of such an outcome nobody hears. */
  settle(seq: number, outcome: (latencyMs: number) => Outcome): boolean {
    const told = this.#flight.settle(seq, performance.now(), outcome)
    for (const one of told ?? []) this.#options.tell(one)
    this.#latest?.look()
    this.#lookWhyHeld()
    return told !== null
  }

  /** Another stream has the outcomes of what is on its way. */
  forget(): void {
    this.#flight.forget()
  }

  end(error: Parameters<Flight['end']>[0]): void {
    this.#link = null
    this.#latest?.stop()
    for (const outcome of this.#flight.end(error, performance.now())) this.#options.tell(outcome)
  }

  /** Said once, until a frame was sent that had not to wait. */
  #lookWhyHeld(): void {
    if (this.#isHeld || !this.#flight.isAwaited || this.#options.isGranted()) return
    this.#isHeld = true
    this.#options.onHeld()
  }

  get #hasRoom(): boolean {
    return (
      this.#link !== null &&
      performance.now() - this.#passedAtMs >= this.#paceMs &&
      this.#link.bufferedBytes <= maxBufferedBytes &&
      this.#flight.unsettled <= maxUnsettled &&
      this.#flight.bytes <= this.#options.maxBytes
    )
  }

  #wanted(after: number): EncodedFrame[] {
    const frames = this.#flight.above(after)
    if (this.#latest === null) return frames
    const newest = frames.pop()
    for (const { seq } of frames) this.#supersede(seq)
    return newest === undefined ? [] : [newest]
  }

  #supersede(seq: number): void {
    this.settle(seq, (latencyMs) => ({ type: 'drop', seq, latencyMs, reason: 'superseded' }))
  }
}
