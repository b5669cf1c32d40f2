import type { Plan } from '../executor.ts'
import { latentElementBytes } from './float-type.ts'
import { latentShapes, type LatentShape } from './latents.ts'
import { windowShape } from './window.ts'

/** What of a plan its rings depend on. */
export type RingPlan = Pick<Plan, 'mode' | 'architecture' | 'height' | 'width' | 'cacheSize'> &
  Partial<Pick<Plan, 'precision'>>

/** The rings that one state of a plan holds; none where frames stand alone. */
export function latentLayout({ mode, architecture, height, width }: RingPlan): LatentShape[] {
  return mode === 'single' ? [] : latentShapes(architecture, height, width)
}

/** Bytes of one state, the executor's `stateBytes`. Loads no native code. */
export function ringCacheBytes(plan: RingPlan): number {
  const perFrame = latentLayout(plan).reduce((sum, { rows, channels }) => sum + rows * channels, 0)
  return perFrame * windowShape(plan.mode, plan.cacheSize).slots * latentElementBytes(plan.precision)
}
