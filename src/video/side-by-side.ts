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

/** Every second column of a picture left out, each of the others mixed with its right neighbour. */
export function halfAsWide({ rgb, width, height }: RgbPicture): RgbPicture {
  const half = Math.ceil(width / 2)
  const out = new Uint8Array(half * height * 3)
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < half; x++) {
      const left = 3 * (y * width + 2 * x)
      const right = 2 * x + 1 < width ? left + 3 : left
      for (let channel = 0; channel < 3; channel++, at++)
        out[at] = (rgb[left + channel]! + rgb[right + channel]! + 1) >> 1
    }
  }
  return { rgb: out, width: half, height }
}
