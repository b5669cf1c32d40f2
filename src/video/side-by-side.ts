import type { RgbPicture } from './reader.ts'

/** Two pictures of one size, `left` on the left. Twice as wide as each. */
export function sideBySide(left: RgbPicture, right: RgbPicture): RgbPicture {
  const rowBytes = left.width * 3
  const rgb = new Uint8Array(left.rgb.byteLength * 2)
  for (let y = 0; y < left.height; y++) {
    rgb.set(left.rgb.subarray(y * rowBytes, (y + 1) * rowBytes), 2 * y * rowBytes)
    rgb.set(right.rgb.subarray(y * rowBytes, (y + 1) * rowBytes), (2 * y + 1) * rowBytes)
  }
  return { rgb, width: left.width * 2, height: left.height }
}
