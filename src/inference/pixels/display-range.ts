/** The values that a display maps to its ends. */
export interface DisplayRange {
  min: number
  max: number
}

/** How much of a new frame's range enters the running one: at 30 fps it follows a change of scene within half a second. */
const weight = 0.15

/**
 * The running display range of a session: exponentially smoothed, so that colours do not flicker when one frame's
 * nearest point jumps. The first frame of an epoch (`previous` null) is taken as it is.
 */
export function smoothRange(previous: DisplayRange | null, frame: DisplayRange): DisplayRange {
  if (previous === null) return frame
  return {
    min: previous.min + weight * (frame.min - previous.min),
    max: previous.max + weight * (frame.max - previous.max)
  }
}

/** Smallest and largest value; null when any is NaN or infinite. Indexed: `for of` over a typed array is ten times slower. */
export function rangeOf(values: Float32Array): DisplayRange | null {
  let min = Infinity
  let max = -Infinity
  // NaN goes through Math.min and Math.max, which are also twice as fast as comparing.
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    min = Math.min(min, value)
    max = Math.max(max, value)
  }
  return Number.isFinite(min) && Number.isFinite(max) ? { min, max } : null
}
