import type { Delivery } from '../../session.ts'
import type { Pending } from './ordered-outcomes.ts'

type Item<F> =
  { kind: 'stop'; pending: Pending } | { kind: 'frame'; frame: F; stage: 'raw' | 'decoding' | 'ready' }

/** What stands at the front of a line: a frame, or what is to be done between two, which its place tells. */
export type Front<F> = { kind: 'stop'; pending: Pending } | { kind: 'frame'; frame: F } | null

/** Frames that may be decoding or decoded before their step: one in the making while another is ready. */
const aheadMax = 2

/**
 * The frames of one session on their way from arrival to their step, and the stops between them, in order. Pure: it
 * decodes nothing and tells which frames a newer one supersedes. With `latest` a raw frame is superseded by the arrival
 * of a newer one, and anything by a newer one that is ready; a decode that has begun is finished, so a stream faster than
 * the decoder still moves. With `lossless` nothing is.
 */
export class FrameQueue<F> {
  readonly #delivery: Delivery
  #items: Item<F>[] = []
  #decoding = 0

  constructor(delivery: Delivery) {
    this.#delivery = delivery
  }

  /** Returns the frames that this one supersedes. */
  add(frame: F): F[] {
    const superseded = this.#delivery === 'latest' ? this.#remove((item) => item.stage === 'raw') : []
    this.#items.push({ kind: 'frame', frame, stage: 'raw' })
    return superseded
  }

  /** `isAhead`: before every frame that waits, instead of behind. */
  addStop(pending: Pending, isAhead = false): void {
    const stop = { kind: 'stop', pending } as const
    if (isAhead) this.#items.unshift(stop)
    else this.#items.push(stop)
  }

  removeStop(pending: Pending): void {
    this.#items = this.#items.filter((item) => item.kind === 'frame' || item.pending !== pending)
  }

  /** What stands first, ready or not. */
  get first(): Front<F> {
    return this.#items[0] ?? null
  }

  /** The frame whose decode should begin now; every one given here comes back through `decoded`. */
  nextToDecode(): F | null {
    const frames = this.#frames()
    const ahead = frames.filter((item) => item.stage !== 'raw').length
    const next = frames.find((item) => item.stage === 'raw')
    if (!next || ahead >= aheadMax || this.#decoding >= aheadMax) return null
    next.stage = 'decoding'
    this.#decoding += 1
    return next.frame
  }

  /** A decode ended: the frame is ready for its step or, when it `failed`, leaves. Returns what it supersedes. */
  decoded(frame: F, outcome: 'ready' | 'failed'): F[] {
    this.#decoding -= 1
    const item = this.#frames().find((candidate) => candidate.frame === frame)
    if (!item) return []
    if (outcome === 'failed') {
      this.#remove((candidate) => candidate === item)
      return []
    }
    item.stage = 'ready'
    return this.#delivery === 'latest' ? this.#remove((_, index) => index < this.#items.indexOf(item)) : []
  }

  /** A stop, or the frame to step next; null while that one is not ready. */
  front(): Front<F> {
    const first = this.#items[0]
    if (!first || (first.kind === 'frame' && first.stage !== 'ready')) return null
    return first
  }

  /** Remove what `front` returned. */
  advance(): void {
    this.#items.shift()
  }

  get hasFrames(): boolean {
    return this.#frames().length > 0
  }

  clear(): void {
    this.#items = []
  }

  #frames(): Extract<Item<F>, { kind: 'frame' }>[] {
    return this.#items.filter((item) => item.kind === 'frame')
  }

  #remove(leaves: (item: Extract<Item<F>, { kind: 'frame' }>, index: number) => boolean): F[] {
    const gone: F[] = []
    this.#items = this.#items.filter((item, index) => {
      if (item.kind === 'stop' || !leaves(item, index)) return true
      gone.push(item.frame)
      return false
    })
    return gone
  }
}
