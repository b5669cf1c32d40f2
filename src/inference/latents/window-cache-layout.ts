import type { Plan } from '../executor.ts'
import { latentElementBytes } from './float-type.ts'
import { windowValues, type WindowValue } from './window-values.ts'
import { VDA_WINDOW } from './window.ts'

/** What of a plan the layout depends on. */
export type WindowCachePlan = Pick<Plan, 'architecture' | 'height' | 'width'> &
  Partial<Pick<Plan, 'precision'>>

export interface PlacedValue extends WindowValue {
  /** Elements of one frame's value; those of all 32 slots lie one after the other. */
  size: number
  /** In elements, of slot 0. */
  offset: number
}

export interface WindowCacheLayout {
  values: PlacedValue[]
  /** Elements in all. */
  length: number
}

/**
 * The areas of the buffer. Each is shared by groups of stages whose values are never needed at the same time; what stage
 * 0 leaves is never overwritten, since the next window takes over some of its frames. Fixed, rather than packed as it
 * fits, so that no smaller frame can need more bytes than a larger one.
 */
const areas: readonly (readonly (readonly number[])[])[] = [[[0]], [[5], [2, 3]], [[4], [1]]]

/** Where a window's values lie in one buffer. */
export function windowCacheLayout({ architecture, height, width }: WindowCachePlan): WindowCacheLayout {
  const values = windowValues(architecture, height, width)
  const placed: PlacedValue[] = []
  let length = 0
  for (const groups of areas) {
    const areaOffset = length
    for (const stages of groups) {
      let offset = areaOffset
      for (const value of values.filter(({ born }) => stages.includes(born))) {
        const size = value.dims.reduce((product, dim) => product * dim, 1)
        placed.push({ ...value, size, offset })
        offset += VDA_WINDOW * size
      }
      length = Math.max(length, offset)
    }
  }
  return { values: placed, length }
}

/** Bytes of one state of mode vda-window. Loads no native code. */
export function windowCacheBytes(plan: WindowCachePlan): number {
  return windowCacheLayout(plan).length * latentElementBytes(plan.precision)
}
