/** How fast frames may come; null: as fast as the client likes. `unsettled` is what was on its way when that was said. */
export interface Advice {
  fps: number | null
  unsettled: number
}

/** Of what the session was seen to do, so that a queue which has built up goes down again. */
const share = 0.9
/** Advice that differs by less is not worth a message. */
const tolerance = 0.95
/** After so many frames in a row that found nothing before them, more may come. */
const calmFrames = 30
const raise = 1.25
/** Beyond this no camera is slowed down. */
const mostFps = 240

/**
 * What rate a client should send at, from what is seen of its session: frames come, and depth maps leave. Advice is given to a
 * frame that finds another before it, so before any has to be dropped for it. Pure: times are arguments, in milliseconds.
 */
export class RateAdvisor {
  #unsettled = 0
  /** Of the last depth map, if another frame was on its way then; null: the next one says nothing of the rate. */
  #busySinceMs: number | null = null
  /** Between depth maps of a session that was never idle in between, over some of them. */
  #intervalMs: number | null = null
  #advisedFps: number | null = null
  #calm = 0

  /** A frame has come. */
  accepted(): Advice | null {
    this.#unsettled++
    if (this.#unsettled === 1) return this.#calmer()
    this.#calm = 0
    if (this.#intervalMs === null) return null
    const fps = (share * 1000) / this.#intervalMs
    if (this.#advisedFps !== null && fps > this.#advisedFps * tolerance) return null
    return fps > mostFps ? null : this.#advise(fps)
  }

  /** A frame has its outcome: with a depth map, or without, which says nothing of the rate. */
  settled(hasDepth: boolean, nowMs: number): void {
    this.#unsettled = Math.max(0, this.#unsettled - 1)
    if (!hasDepth) return
    if (this.#busySinceMs !== null) this.#measure(nowMs - this.#busySinceMs)
    this.#busySinceMs = this.#unsettled > 0 ? nowMs : null
  }

  #measure(intervalMs: number): void {
    this.#intervalMs = this.#intervalMs === null ? intervalMs : 0.8 * this.#intervalMs + 0.2 * intervalMs
  }

  #calmer(): Advice | null {
    if (this.#advisedFps === null || ++this.#calm < calmFrames) return null
    this.#calm = 0
    const fps = this.#advisedFps * raise
    return this.#advise(fps > mostFps ? null : fps)
  }

  #advise(fps: number | null): Advice {
    this.#advisedFps = fps
    return { fps: fps === null ? null : Math.max(0.1, Math.round(fps * 10) / 10), unsettled: this.#unsettled }
  }
}
