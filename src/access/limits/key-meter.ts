import { LeadlineError } from '../../errors.ts'
import type { AccessKey } from '../access-key.ts'
import { noFlow } from './flow.ts'
import type { KeyLimits } from './key-limits.ts'
import type { Flow } from './flow.ts'
import { TokenBucket } from './token-bucket.ts'

/** A frame as far as limits are concerned. */
export interface MeteredFrame {
  bytes: number
  /** Asked only where they count. */
  megapixels: () => number
}

/** A rate of which nothing is left. */
export interface SpentRate {
  of: 'framesPerSecond' | 'megapixelsPerSecond'
  /** In its own unit. */
  limit: number
  /** Until there is some again. */
  waitMs: number
}

/**
 * What comes by one key at this gateway, over however many streams, and what of it is let in. Where more comes to all gateways
 * than the key may have, each lets in its share of what comes.
 */
export class KeyMeter {
  readonly #key: AccessKey
  /** Null: no limit. */
  readonly #frames: TokenBucket | null
  readonly #pixels: TokenBucket | null
  #bytesInFlight = 0
  #elsewhere: Flow = noFlow
  /** As of the last account. */
  #here: Flow = noFlow
  /** Since then. */
  #since: { frames: number; megapixels: number; atMs: number }

  constructor(key: AccessKey, nowMs: number) {
    const { framesPerSecond, megapixelsPerSecond } = key.limits
    this.#key = key
    this.#frames = framesPerSecond === undefined ? null : new TokenBucket(framesPerSecond, nowMs)
    this.#pixels = megapixelsPerSecond === undefined ? null : new TokenBucket(megapixelsPerSecond, nowMs)
    this.#since = { frames: 0, megapixels: 0, atMs: nowMs }
  }

  /** Let a frame in, whose bytes count until `leave`; or say why not. */
  enter({ bytes, megapixels }: MeteredFrame, nowMs: number): LeadlineError | null {
    const { bytesInFlight = Infinity } = this.#key.limits
    const pixels = this.#pixels === null ? 0 : megapixels()
    this.#since.frames += 1
    this.#since.megapixels += pixels
    const inFlight = this.#bytesInFlight + this.#elsewhere.bytesInFlight
    // One frame may always come, however large.
    if (inFlight > 0 && inFlight + bytes > bytesInFlight)
      return this.#refusal('bytesInFlight', 'bytes in flight')
    if (this.#frames?.isReady(nowMs, this.#share('framesPerSecond')) === false)
      return this.#refusal('framesPerSecond', 'frames a second')
    if (this.#pixels?.isReady(nowMs, this.#share('megapixelsPerSecond')) === false)
      return this.#refusal('megapixelsPerSecond', 'megapixels a second')
    this.#frames?.take(1)
    this.#pixels?.take(pixels)
    this.#bytesInFlight += bytes
    return null
  }

  /** Of the rates, the one for which the next frame has to wait; null: none. */
  spent(nowMs: number): SpentRate | null {
    const buckets = { framesPerSecond: this.#frames, megapixelsPerSecond: this.#pixels }
    for (const of of ['framesPerSecond', 'megapixelsPerSecond'] as const) {
      const [bucket, share] = [buckets[of], this.#share(of)]
      if (bucket === null || bucket.isReady(nowMs, share)) continue
      return { of, limit: this.#key.limits[of] ?? Infinity, waitMs: bucket.waitMs(share) }
    }
    return null
  }

  /** Whether a new meter would let in no more than this one. */
  isRested(nowMs: number): boolean {
    const buckets = [
      [this.#frames, this.#share('framesPerSecond')],
      [this.#pixels, this.#share('megapixelsPerSecond')]
    ] as const
    return buckets.every(([bucket, share]) => {
      bucket?.isReady(nowMs, share)
      return bucket?.isFull ?? true
    })
  }

  leave(bytes: number): void {
    this.#bytesInFlight -= bytes
  }

  /** What came here since the account before, and what is on its way. */
  account(nowMs: number): Flow {
    const { frames, megapixels, atMs } = this.#since
    const seconds = Math.max(0.001, (nowMs - atMs) / 1000)
    this.#since = { frames: 0, megapixels: 0, atMs: nowMs }
    this.#here = {
      framesPerSecond: frames / seconds,
      megapixelsPerSecond: megapixels / seconds,
      bytesInFlight: this.#bytesInFlight
    }
    return this.#here
  }

  /** What comes at other gateways. */
  hear(elsewhere: Flow): void {
    this.#elsewhere = elsewhere
  }

  /** Of the rate, for here. */
  #share(of: 'framesPerSecond' | 'megapixelsPerSecond'): number {
    const [here, all] = [this.#here[of], this.#here[of] + this.#elsewhere[of]]
    return all <= (this.#key.limits[of] ?? Infinity) ? 1 : here / all
  }

  #refusal(limit: keyof KeyLimits, what: string): LeadlineError {
    const { name, limits } = this.#key
    return new LeadlineError(
      'LIMIT_REACHED',
      `Key "${name}" may have ${limits[limit]} ${what}; send less, or slower`
    )
  }
}
