import type { Log } from '../../sessions/index.ts'
import type { AccessKey } from '../access-key.ts'
import type { FlowExchange } from './flow.ts'
import { FrameFlow } from './frame-flow.ts'
import { KeyMeter } from './key-meter.ts'

/** How long an account counts with the other gateways: longer than the time between two. */
const accountTtlMs = 3000

export interface FrameLimitsOptions {
  exchange: FlowExchange
  log: Log
  /** Milliseconds. */
  now: () => number
}

/**
 * The limits of frames, by key. Whether a frame comes in is told here and at once: other gateways are heard of once a second,
 * so that all of them together may let in for a second or so what one of them could alone.
 */
export class FrameLimits {
  readonly #options: FrameLimitsOptions
  readonly #meters = new Map<string, { meter: KeyMeter; streams: number }>()

  constructor(options: FrameLimitsOptions) {
    this.#options = options
  }

  /** Of a new stream; null: its key has no such limits. */
  open(key: AccessKey): FrameFlow | null {
    const { framesPerSecond, megapixelsPerSecond, bytesInFlight } = key.limits
    if ([framesPerSecond, megapixelsPerSecond, bytesInFlight].every((limit) => limit === undefined))
      return null
    const { now } = this.#options
    const held = this.#meters.get(key.id) ?? { meter: new KeyMeter(key, now()), streams: 0 }
    this.#meters.set(key.id, held)
    held.streams += 1
    let isOpen = true
    return new FrameFlow(held.meter, now, () => {
      if (isOpen) held.streams -= 1
      isOpen = false
    })
  }

  /** Tell the other gateways what comes here, and hear of them. Never rejects. */
  async look(): Promise<void> {
    const { exchange, log, now } = this.#options
    await Promise.all(
      [...this.#meters].map(async ([id, { meter }]) => {
        try {
          meter.hear(await exchange.swap(id, meter.account(now()), accountTtlMs))
        } catch (error) {
          log.debug({ err: error }, 'the flow of a key could not be told')
        }
        // After its last account, and when all is paid off: whoever leaves and comes back has no full measure by it.
        if (this.#meters.get(id)?.streams === 0 && meter.isRested(now())) this.#meters.delete(id)
      })
    )
  }
}
