import type { AffineMap } from '../../maps/affine-map.ts'
import type { DisplayRange } from './display-range.ts'

/** value = stored * scale + offset; both are float32, as the header holds them. */
export interface Quantization {
  scale: number
  offset: number
}

/**
 * Spreads a range over `levels` steps, backwards where `min` is the greater. A range without extent stores 0 everywhere
 * and keeps a scale of 1.
 */
export function quantization({ min, max }: DisplayRange, levels: number): Quantization {
  return { scale: Math.fround((max - min) / levels) || 1, offset: Math.fround(min) }
}

/** Stored value of a depth as a line, to be cut off: nearest, so that what a reader computes is within half a scale. */
export function storing({ scale, offset }: Quantization, levels: number): AffineMap {
  return { scale: 1 / scale, offset: 0.5 - offset / scale, floor: 0, limit: levels }
}
