import { LeadlineError } from '../../errors.ts'
import type { AccessKey } from '../access-key.ts'
import { noFlow } from './flow.ts'
import type { Flow } from './flow.ts'
import { TokenBucket } from './token-bucket.ts'

/** A frame as far as limits are concerned. */
export interface MeteredFrame {
  bytes: number
  /** Asked only where they count. */
  megapixels: () => number
}

/** What comes by one key at this gateway, over however many streams, and what of it is let in. */
export class KeyMeter {
  readonly #key: AccessKey
  /** Null: no limit. */
  readonly #frames: TokenBucket | null
  readonly #pixels: TokenBucket | null
  #bytesInFlight = 0
  #elsewhere: Flow = noFlow
  /** Since the last account. */
  #since: { frames: number; megapixels: number; atMs: number }

  constructor(key: AccessKey, nowMs: number) {
    const { framesPerSecond, megapixelsPerSecond } = key.limits
    this.#key = key
    this.#frames = framesPerSecond === undefined ? null : new TokenBucket(framesPerSecond, nowMs)
    this.#pixels = megapixelsPerSecond === undefined ? null : new TokenBucket(megapixelsPerSecond, nowMs)
    this.#since = { frames: 0, megapixels: 0, atMs: nowMs }
  }

  /** Let a frame in, whose bytes count until `leave`; or say why not. */
  enter(frame: MeteredFrame, nowMs: number): LeadlineError | null {
    const { framesPerSecond, megapixelsPerSecond, bytesInFlight = Infinity } = this.#key.limits
    const inFlight = this.#bytesInFlight + this.#elsewhere.bytesInFlight
    // One frame may always come, however large.
    if (inFlight > 0 && inFlight + frame.bytes > bytesInFlight)
      return this.#refusal('bytes in flight', bytesInFlight)
    if (this.#frames?.isReady(nowMs, this.#elsewhere.framesPerSecond) === false)
      return this.#refusal('frames a second', framesPerSecond)
    if (this.#pixels?.isReady(nowMs, this.#elsewhere.megapixelsPerSecond) === false)
      return this.#refusal('megapixels a second', megapixelsPerSecond)
    const megapixels = this.#pixels === null ? 0 : frame.megapixels()
    this.#frames?.take(1)
    this.#pixels?.take(megapixels)
    this.#since.frames += 1
    this.#since.megapixels += megapixels
    this.#bytesInFlight += frame.bytes
    return null
  }

  leave(bytes: number): void {
    this.#bytesInFlight -= bytes
  }

  /** What came here since the account before, and what is on its way. */
  account(nowMs: number): Flow {
    const { frames, megapixels, atMs } = this.#since
    const seconds = Math.max(0.001, (nowMs - atMs) / 1000)
    this.#since = { frames: 0, megapixels: 0, atMs: nowMs }
    return {
      framesPerSecond: frames / seconds,
      megapixelsPerSecond: megapixels / seconds,
      bytesInFlight: this.#bytesInFlight
    }
  }

  /** What comes at other gateways. */
  hear(elsewhere: Flow): void {
    this.#elsewhere = elsewhere
  }

  #refusal(what: string, limit: number | undefined): LeadlineError {
    return new LeadlineError(
      'LIMIT_REACHED',
      `Key "${this.#key.name}" may have ${limit} ${what}; send less, or slower`
    )
  }
}
