/**
 * 16-bit maps made ready for a general compressor: each value less what a plane through its left, upper and upper left
 * neighbours would be there (outside: 0), modulo 2^16, folded so that small differences of either sign are small (0, -1, 1, -2 …
 * become 0, 1, 2, 3 …); all upper bytes first, then all lower ones.
 */

/** Two bytes a value. */
export function toPlanes(stored: Uint16Array, width: number): Uint8Array {
  const count = stored.length
  const planes = new Uint8Array(2 * count)
  for (let i = 0, before = 0; i < count; i++) {
    if (i % width === 0) before = 0
    const below = stored[i]! - (i < width ? 0 : stored[i - width]!)
    const difference = ((below - before) << 16) >> 16
    before = below
    const folded = (difference << 1) ^ (difference >> 15)
    planes[i] = folded >> 8
    planes[count + i] = folded
  }
  return planes
}

/** What `toPlanes` was given. */
export function fromPlanes(planes: Uint8Array, width: number): Uint16Array<ArrayBuffer> {
  const count = planes.length >> 1
  const stored = new Uint16Array(count)
  for (let i = 0, below = 0; i < count; i++) {
    if (i % width === 0) below = 0
    const folded = (planes[i]! << 8) | planes[count + i]!
    below += (folded >> 1) ^ -(folded & 1)
    stored[i] = below + (i < width ? 0 : stored[i - width]!)
  }
  return stored
}
