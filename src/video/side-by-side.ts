import type { ColorTable, DisplayEnds } from '../colormap.ts'
import { colorize } from '../colormap.ts'
import type { RgbPicture, Size } from './reader.ts'
import { resizeBilinear } from '../bilinear.ts'

export interface DepthPicture extends Size {
  values: Float32Array
  ends: DisplayEnds
}

/** Source frame on the left, its depth in colours on the right, resized to the frame. Twice as wide as the frame. */
export function sideBySide(frame: RgbPicture, depth: DepthPicture, table: ColorTable): RgbPicture {
  const colored = colorize(resizeBilinear(depth.values, depth, frame), depth.ends, table)
  const rowBytes = frame.width * 3
  const rgb = new Uint8Array(frame.rgb.byteLength * 2)
  for (let y = 0; y < frame.height; y++) {
    rgb.set(frame.rgb.subarray(y * rowBytes, (y + 1) * rowBytes), 2 * y * rowBytes)
    rgb.set(colored.subarray(y * rowBytes, (y + 1) * rowBytes), (2 * y + 1) * rowBytes)
  }
  return { rgb, width: frame.width * 2, height: frame.height }
}
