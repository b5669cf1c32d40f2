import type { ValidFrame } from '../../wire/frame.ts'
import { dayOf } from '../../metering/measures.ts'
import type { Account, Meter, UsageAmounts, UsageMark } from '../../metering/measures.ts'
import type { SessionEvent } from '../../session.ts'
import type { Log } from '../log.ts'
import { isFrameOutcome } from '../sessions.ts'

interface SessionUsageOptions {
  sessionId: string
  workerId: string
  /** @default nothing is counted */
  usage?: Meter
  log: Log
}

/** Longer than a frame may wait to be made again: the longest grace, and an outage of the store. */
const keptMs = 3_600_000
/** Of a session that is over for good, whose frames nobody makes again: as long as its last counts may be tried. */
const overMs = 10_000
/** How often the time of a session is counted, in milliseconds. */
const periodMs = 10_000

/**
 * Counts what a session uses: each frame when its depth map is there, before anybody is told, by its seq, so that no other
 * worker that makes it again counts it again. Of a clip's session only the time on the device.
 */
export class SessionUsage {
  readonly #options: SessionUsageOptions
  account: Account = { owner: null, isClip: false }
  /** Of frames without outcome, by seq. */
  readonly #bytesIn = new Map<number, number>()
  /** On the clock of performance.now(); null: it is not open. */
  #sinceMs: number | null = null
  #lastNumber = 0
  #hasFrames = false

  constructor(options: SessionUsageOptions) {
    this.#options = options
  }

  /** It is open here. */
  begin(): void {
    this.#sinceMs = performance.now()
  }

  accepted({ header, message }: ValidFrame): void {
    this.#bytesIn.set(header.seq, message.byteLength)
  }

  outcome(event: SessionEvent): void {
    if (!isFrameOutcome(event)) return
    const bytesIn = this.#bytesIn.get(event.seq) ?? 0
    this.#bytesIn.delete(event.seq)
    if (event.type !== 'result') return
    const { pixels = 0, deviceUs = 0 } = event.cost ?? {}
    const whole = { frames: 1, pixels, deviceUs, bytesIn, bytesOut: event.message.byteLength }
    this.#hasFrames = true
    this.#count(this.account.isClip ? { deviceUs } : whole, { name: this.#frames, number: event.seq, keptMs })
  }

  /** Its time so far, if that is worth it. */
  tick(): void {
    if (this.#sinceMs !== null && performance.now() - this.#sinceMs >= periodMs) this.#countTime()
  }

  /** It is open here no more; for good: nor anywhere else, so that its marks need not stay. Twice does no harm. */
  end(isForGood: boolean): void {
    this.#countTime(overMs)
    this.#sinceMs = null
    if (!isForGood || !this.#hasFrames) return
    this.#hasFrames = false
    this.#count({}, { name: this.#frames, number: Number.MAX_SAFE_INTEGER, keptMs: overMs })
  }

  get #frames(): string {
    return `session:${this.#options.sessionId}`
  }

  #countTime(markKeptMs = keptMs): void {
    if (this.#sinceMs === null || this.account.isClip) return
    const sessionMs = Math.round(performance.now() - this.#sinceMs)
    this.#sinceMs += sessionMs
    // It may have been here before.
    this.#lastNumber = Math.max(Date.now(), this.#lastNumber + 1)
    const { sessionId, workerId } = this.#options
    this.#count(
      { sessionMs },
      { name: `time:${sessionId}:${workerId}`, number: this.#lastNumber, keptMs: markKeptMs }
    )
  }

  #count(amounts: UsageAmounts, mark: UsageMark): void {
    const { log, usage, sessionId } = this.#options
    usage
      ?.count({ owner: this.account.owner, day: dayOf(Date.now()), amounts, mark })
      .catch((error: unknown) => log.warn({ err: error, sessionId, amounts }, 'something was not counted'))
  }
}
