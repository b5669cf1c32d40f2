import type { SessionEvent } from '../../session.ts'
import { isFrameOutcome } from '../sessions.ts'

/** What the sessions of one worker keep, together. */
export interface KeptBytes {
  readonly maxBytes: number
  bytes: number
}

/** Of one session. */
export interface KeepLimits {
  /** Of depth maps; more than a client that acknowledges leaves waiting. */
  maxBytes: number
  /** Events of any kind. */
  maxEvents: number
}

const keepLimits: KeepLimits = { maxBytes: 64 * 2 ** 20, maxEvents: 16_384 }

interface Kept {
  event: SessionEvent
  /** Of the outcome itself, or of the one before what is none; -1 before the first. */
  seq: number
  isOutcome: boolean
  /** 0 once they were let go. */
  bytes: number
}

/**
 * What a client was told and has not acknowledged, in order. Beyond the bound the oldest depth maps are let go: should they
 * have to be told again, they are drops.
 */
export class KeptOutcomes {
  readonly #limits: KeepLimits
  readonly #shared: KeptBytes
  #kept: Kept[] = []
  /** Those of them that have bytes, and some that had. */
  #heavy: Kept[] = []
  #bytes = 0
  #lastSeq = -1
  #forgottenSeq = -1

  constructor(shared: KeptBytes, limits = keepLimits) {
    this.#shared = shared
    this.#limits = limits
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Outcomes through this one cannot be told again, although nobody acknowledged them. */
  get forgottenSeq(): number {
    return this.#forgottenSeq
  }

  get events(): SessionEvent[] {
    return this.#kept.map(({ event }) => event)
  }

  /** What follows this outcome. */
  after(seq: number): SessionEvent[] {
    return this.#kept.slice(this.#firstAfter(seq)).map(({ event }) => event)
  }

  /** Go on behind the outcome `after`, with what another was told of the last ones and the client may not have. */
  restore(told: readonly SessionEvent[], after: number): void {
    const first = told.find(isFrameOutcome)
    this.#lastSeq = first ? first.seq - 1 : after
    for (const event of told) this.keep(event)
  }

  /** Outcomes come in the order of seq. */
  keep(event: SessionEvent): void {
    const isOutcome = isFrameOutcome(event)
    if (isOutcome) this.#lastSeq = event.seq
    const kept = { event, seq: this.#lastSeq, isOutcome, bytes: bytesOf(event) }
    this.#kept.push(kept)
    if (kept.bytes > 0) this.#heavy.push(kept)
    this.#count(kept.bytes)
    if (this.#kept.length > this.#limits.maxEvents) this.#forgetOldest()
    while (this.#isTooMuch && this.#heavy.length > 0) this.#letGo(this.#heavy.shift())
  }

  /** The client has every outcome through this one, and what came before it. */
  ack(seq: number): void {
    const told = this.#kept.splice(0, this.#firstAfter(seq))
    for (const kept of told) this.#release(kept)
    while (this.#heavy[0]?.bytes === 0) this.#heavy.shift()
  }

  /** Nothing will be told again. Twice does no harm. */
  clear(): void {
    this.#kept = []
    this.#heavy = []
    this.#count(-this.#bytes)
  }

  #firstAfter(seq: number): number {
    const next = this.#kept.findIndex((kept) => (kept.isOutcome ? kept.seq > seq : kept.seq >= seq))
    return next === -1 ? this.#kept.length : next
  }

  get #isTooMuch(): boolean {
    return this.#bytes > this.#limits.maxBytes || this.#shared.bytes > this.#shared.maxBytes
  }

  #forgetOldest(): void {
    const oldest = this.#kept.shift()
    if (!oldest) return
    this.#forgottenSeq = oldest.seq
    this.#release(oldest)
  }

  #letGo(kept: Kept | undefined): void {
    if (!kept || kept.bytes === 0) return
    kept.event = { type: 'drop', seq: kept.seq, reason: 'unacknowledged' }
    this.#release(kept)
  }

  #release(kept: Kept): void {
    this.#count(-kept.bytes)
    kept.bytes = 0
  }

  #count(bytes: number): void {
    this.#bytes += bytes
    this.#shared.bytes += bytes
  }
}

function bytesOf(event: SessionEvent): number {
  return event.type === 'result' ? event.message.byteLength : 0
}
