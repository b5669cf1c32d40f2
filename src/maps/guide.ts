import type { Size } from './bilinear.ts'

/** The brightness of a picture, along whose edges depth is refined. */
export interface Guide extends Size {
  /** uint8, height x width. */
  luma: Uint8Array
  /** What white is above black: 255, of limited range 219. */
  contrast: number
}

/** Of RGB, uint8, height x width x 3: weights of BT.601 in 256ths, whatever the picture has, since any grey serves. */
export function guideOfRgb(rgb: Uint8Array, { width, height }: Size): Guide {
  const luma = new Uint8Array(width * height)
  for (let i = 0, at = 0; i < luma.length; i++, at += 3)
    luma[i] = (77 * rgb[at]! + 150 * rgb[at + 1]! + 29 * rgb[at + 2]!) >> 8
  return { luma, contrast: 255, width, height }
}

/**
 * Each pixel of a smaller plane as the mean of those of the guide that it covers, in whole pixels and at least one; black
 * is 0 and white 1, but for an offset of limited range.
 */
export function shrunkGuide(guide: Guide, { width, height }: Size): Float32Array {
  const ends = (count: number, of: number) =>
    Int32Array.from({ length: count + 1 }, (_, i) => Math.floor((i * of) / count))
  const [columns, rows] = [ends(width, guide.width), ends(height, guide.height)]
  const shrunk = new Float32Array(width * height)
  const sums = new Float64Array(width)
  for (let y = 0; y < height; y++) {
    sums.fill(0)
    for (let row = rows[y]!; row < rows[y + 1]!; row++)
      addCovered(sums, guide.luma.subarray(row * guide.width, (row + 1) * guide.width), columns)
    const numRows = rows[y + 1]! - rows[y]!
    for (let x = 0; x < width; x++)
      shrunk[y * width + x] = sums[x]! / (numRows * (columns[x + 1]! - columns[x]!) * guide.contrast)
  }
  return shrunk
}

function addCovered(sums: Float64Array, row: Uint8Array, columns: Int32Array): void {
  for (let x = 0; x < sums.length; x++) {
    let sum = 0
    for (let i = columns[x]!; i < columns[x + 1]!; i++) sum += row[i]!
    sums[x]! += sum
  }
}
