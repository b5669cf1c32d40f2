import type { Plan } from '../executor.ts'
import { windowValues, type WindowValue } from '../graph/window-values.ts'
import { VDA_WINDOW } from '../graph/window.ts'

/** What of a plan the layout depends on. */
export type WindowCachePlan = Pick<Plan, 'architecture' | 'height' | 'width'>

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
 * Where a window's values lie in one buffer. Values that no stage needs at the same time share their place, the largest
 * placed first; what stage 0 leaves is never overwritten, since the next window takes over some of its frames.
 */
export function windowCacheLayout({ architecture, height, width }: WindowCachePlan): WindowCacheLayout {
  const sized = windowValues(architecture, height, width).map((value) => ({
    ...value,
    size: value.dims.reduce((product, dim) => product * dim, 1)
  }))
  const placed: PlacedValue[] = []
  for (const value of sized.sort((a, b) => b.size - a.size)) {
    const rivals = placed.filter((other) => areBothNeeded(value, other)).sort((a, b) => a.offset - b.offset)
    let offset = 0
    for (const rival of rivals) {
      if (rival.offset >= offset + VDA_WINDOW * value.size) break
      offset = Math.max(offset, endOf(rival))
    }
    placed.push({ ...value, offset })
  }
  return { values: placed, length: Math.max(...placed.map(endOf)) }
}

/** Bytes of one state of mode vda-window as float32. Loads no native code. */
export function windowCacheBytes(plan: WindowCachePlan): number {
  return windowCacheLayout(plan).length * Float32Array.BYTES_PER_ELEMENT
}

function areBothNeeded(a: WindowValue, b: WindowValue): boolean {
  if (a.born === 0 || b.born === 0) return true
  return a.born <= b.lastUsed && b.born <= a.lastUsed
}

function endOf({ offset, size }: PlacedValue): number {
  return offset + VDA_WINDOW * size
}
