import type { DisplayRange } from './display-range.ts'

/** value = stored * scale + offset; both are float32, as the header holds them. */
export interface Quantization {
  scale: number
  offset: number
}

/** Spreads a range over `levels` steps. A range without extent stores 0 everywhere and keeps a scale of 1. */
export function quantization({ min, max }: DisplayRange, levels: number): Quantization {
  return { scale: Math.fround((max - min) / levels) || 1, offset: Math.fround(min) }
}

/** Nearest stored value, so that what a reader computes is within half a scale of the truth. */
export function quantizeU16(values: Float32Array, { scale, offset }: Quantization): Uint16Array<ArrayBuffer> {
  const stored = new Uint16Array(values.length)
  for (let i = 0; i < values.length; i++) {
    const step = Math.round(((values[i] ?? 0) - offset) / scale)
    stored[i] = step < 0 ? 0 : step > 65_535 ? 65_535 : step
  }
  return stored
}
