import type { Quantity } from './frame.ts'
import type { Colormap } from './output.ts'

/** A colour map as 256 RGB triples. Entry 255 is the nearest depth. */
export type ColorTable = Uint8Array

/**
 * Polynomial fits, one row per power of t in [0, 1], columns R, G, B. Turbo: Mikhailov, "Turbo, an improved rainbow
 * colormap" (2019), degree 5. Inferno: van der Walt and Smith (2015), fit of degree 6.
 */
const polynomials: Record<Exclude<Colormap, 'gray'>, readonly (readonly [number, number, number])[]> = {
  turbo: [
    [0.1357, 0.0914, 0.1067],
    [4.6154, 2.1942, 12.6419],
    [-42.6603, 4.843, -60.582],
    [132.1311, -14.185, 110.3628],
    [-152.9424, 4.2773, -89.9031],
    [59.2864, 2.8296, 27.3482]
  ],
  inferno: [
    [0.0002, 0.0017, -0.0194],
    [0.1065, 0.564, 3.9327],
    [11.6025, -3.9729, -15.9424],
    [-41.704, 17.4364, 44.3541],
    [77.1629, -33.4024, -81.8073],
    [-71.3194, 32.6261, 73.2095],
    [25.1311, -12.2427, -23.0703]
  ]
}

export function colorTable(colormap: Colormap): ColorTable {
  const table = new Uint8Array(256 * 3)
  for (let i = 0; i < 256; i++) {
    for (let channel = 0; channel < 3; channel++) {
      const value = colormap === 'gray' ? i / 255 : polynomial(polynomials[colormap], channel, i / 255)
      table[i * 3 + channel] = Math.round(255 * Math.min(1, Math.max(0, value)))
    }
  }
  return table
}

function polynomial(
  rows: readonly (readonly [number, number, number])[],
  channel: number,
  t: number
): number {
  return rows.reduceRight((sum, row) => sum * t + (row[channel] ?? 0), 0)
}

/** The values at the two ends of a colour table, dark and bright. Either may be the greater one. */
export interface DisplayEnds {
  far: number
  near: number
}

/** The greater inverse depth is nearer, the greater distance is farther. */
export function displayEnds({ min, max }: { min: number; max: number }, quantity: Quantity): DisplayEnds {
  return quantity === 'metric-depth' ? { far: max, near: min } : { far: min, near: max }
}

/** Colour `values` (any length) so that `far` gets entry 0 and `near` entry 255: RGB, three bytes a value, into `rgb`. */
export function colorize(
  values: ArrayLike<number>,
  { far, near }: DisplayEnds,
  table: ColorTable,
  rgb: Uint8Array = new Uint8Array(values.length * 3)
): Uint8Array {
  const scale = near === far ? 0 : 255 / (near - far)
  for (let i = 0; i < values.length; i++) {
    const entry = Math.min(255, Math.max(0, Math.round(((values[i] ?? 0) - far) * scale))) * 3
    rgb[i * 3] = table[entry] ?? 0
    rgb[i * 3 + 1] = table[entry + 1] ?? 0
    rgb[i * 3 + 2] = table[entry + 2] ?? 0
  }
  return rgb
}
