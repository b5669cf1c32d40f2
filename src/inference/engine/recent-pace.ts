import type { EnginePace } from '../../metering/engine-pace.ts'
import type { FrameMeter, FrameStages } from '../../metering/frame-stages.ts'

const windowMs = 10_000
/** Beyond so many in the window the oldest go: what is told is of fewer seconds then. */
const maxFrames = 2048

/** How frames fared of late. */
export class RecentPace implements FrameMeter {
  readonly #now: () => number
  /** Oldest first. */
  #frames: { atMs: number; latencyMs: number }[] = []

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  framed({ stages }: { stages: FrameStages }): void {
    if (this.#frames.length >= 2 * maxFrames) this.#frames = this.#frames.slice(-maxFrames)
    this.#frames.push({ atMs: stages.encodeEndedMs, latencyMs: stages.encodeEndedMs - stages.cameMs })
  }

  /** Of the last ten seconds. */
  read(): Omit<EnginePace, 'parkedSessions'> {
    const now = this.#now()
    const isFull = this.#frames.length > maxFrames
    this.#frames = this.#frames.slice(-maxFrames).filter(({ atMs }) => now - atMs < windowMs)
    const [oldest] = this.#frames
    const spanMs = isFull && oldest ? Math.max(1, now - oldest.atMs) : windowMs
    const sorted = this.#frames.map(({ latencyMs }) => latencyMs).sort((a, b) => a - b)
    const rank = (share: number) => tenths(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0)
    return {
      framesPerSecond: tenths((sorted.length * 1000) / spanMs),
      latencyMs: { p50: rank(0.5), p99: rank(0.99) }
    }
  }
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10
}
