import type { ResolutionRule } from '../../manifest.ts'
import type { ReplayShape } from '../../session.ts'
import { FARTHEST, VDA_WINDOW } from '../latents/window.ts'
import type { ReceivedFrame } from '../pixels/received-frame.ts'
import type { SessionPlan } from '../session-plan.ts'

/**
 * Windows that are kept of mode ovda. The latents of a frame carry what the frames of its window saw, and those carry
 * theirs: the past reaches back six windows, less with each. Measured with leadline-nano, window 16, mean difference from
 * the undisturbed stream just after a rebuild: 1 window 2.9 %, 2 windows 0.6 %, 3 windows 0.1 %, 4 windows 0.005 % (a
 * start from nothing: 4.1 %). Each window more takes as long again. Of vda-stream, whose window spans 42 frames, one
 * must do: 0.9 % (4.9 % from nothing).
 */
const windowsKept = 3

export function replayShape({ mode, cacheSize }: Pick<SessionPlan, 'mode' | 'cacheSize'>): ReplayShape {
  if (mode === 'ovda') return { keepsFirst: false, recent: windowsKept * (cacheSize - 1) }
  if (mode === 'vda-stream') return { keepsFirst: true, recent: FARTHEST }
  if (mode === 'vda-window') return { keepsFirst: false, recent: VDA_WINDOW }
  return { keepsFirst: false, recent: 0 }
}

/** Host memory that the kept frames of a session take at most, whatever size its frames have. */
export function replayBytes(
  plan: Pick<SessionPlan, 'mode' | 'cacheSize'>,
  { maxArea }: Pick<ResolutionRule, 'maxArea'>
): number {
  const { keepsFirst, recent } = replayShape(plan)
  if (recent === 0) return 0
  return ((keepsFirst ? 1 : 0) + recent + inStep) * maxArea * 3
}

/** The frame in its step is kept beside the others, which it may have to be taken from again. */
const inStep = 1

/** A frame that a latent cache has seen, as the network takes it. */
export interface KeptFrame {
  seq: number
  prepared: ReceivedFrame
}

/** The kept frames of one epoch. */
export class ReplayFrames<F = KeptFrame> {
  readonly #shape: ReplayShape
  #first: F | null = null
  #recent: F[] = []

  constructor(shape: ReplayShape) {
    this.#shape = shape
  }

  add(frame: F): void {
    const { keepsFirst, recent } = this.#shape
    if (recent === 0) return
    if (keepsFirst) this.#first ??= frame
    this.#recent.push(frame)
    if (this.#recent.length > recent + inStep) this.#recent.shift()
  }

  /** As if the last frame had not been added. */
  removeLast(): void {
    const removed = this.#recent.pop()
    if (removed === this.#first) this.#first = null
  }

  clear(): void {
    this.#first = null
    this.#recent = []
  }

  /** In the order in which they were seen. */
  list(): F[] {
    const recent = [...this.#recent]
    return this.#first && !recent.includes(this.#first) ? [this.#first, ...recent] : recent
  }
}
