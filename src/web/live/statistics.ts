/** Of one frame, in milliseconds: on the way and in neither of the others, waiting for its step, in it. */
export interface Latency {
  network: number
  queue: number
  compute: number
}

export interface Summary {
  framesPerSecond: number
  /** Medians. */
  latency: Latency
}

/** What one second of a slow server and one of a fast one both fill. */
const windowMs = 3000
const maxShown = 120

/** How fast frames come, and how long they took: of the last seconds. */
export class Statistics {
  #frames: { atMs: number; latency: Latency }[] = []

  add(
    { latencyMs, header }: { latencyMs: number; header: { queueUs: number; computeUs: number } },
    nowMs: number
  ): void {
    const queue = header.queueUs / 1000
    const compute = header.computeUs / 1000
    const network = Math.max(0, latencyMs - queue - compute)
    this.#frames.push({ atMs: nowMs, latency: { network, queue, compute } })
    if (this.#frames.length > maxShown) this.#frames.shift()
  }

  clear(): void {
    this.#frames = []
  }

  /** Oldest first. */
  get shown(): readonly Latency[] {
    return this.#frames.map(({ latency }) => latency)
  }

  /** Null while no frame came of late. */
  summary(nowMs: number): Summary | null {
    const recent = this.#frames.filter(({ atMs }) => atMs > nowMs - windowMs)
    if (recent.length === 0) return null
    const spanMs = nowMs - recent[0]!.atMs
    const latencies = recent.map(({ latency }) => latency)
    return {
      framesPerSecond: spanMs > 0 ? ((recent.length - 1) * 1000) / spanMs : 0,
      latency: {
        network: median(latencies.map(({ network }) => network)),
        queue: median(latencies.map(({ queue }) => queue)),
        compute: median(latencies.map(({ compute }) => compute))
      }
    }
  }
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}
