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

/**
 * Nearest stored value, so that what a reader computes is within half a scale of the truth. No value may be below the
 * offset; what lies above the range is stored as the last level.
 */
export function quantizeU16(values: Float32Array, { scale, offset }: Quantization): Uint16Array<ArrayBuffer> {
  const stored = new Uint16Array(values.length)
  const levelsPerUnit = 1 / scale
  for (let i = 0; i < values.length; i++) {
    // Storing into 16 bits cuts the fraction off, which rounds what half a level was added to.
    const level = ((values[i] ?? 0) - offset) * levelsPerUnit + 0.5
    stored[i] = level < 65_535 ? level : 65_535
  }
  return stored
}
