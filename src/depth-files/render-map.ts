import { identity } from '../maps/affine-map.ts'
import { resizeBilinear } from '../maps/bilinear.ts'
import { colorize } from '../maps/colormap.ts'
import type { ColorTable, DisplayEnds } from '../maps/colormap.ts'
import { guideOfRgb } from '../maps/guide.ts'
import { guidedRows } from '../maps/guided-rows.ts'
import type { RgbPicture, Size } from '../video/index.ts'

/** A map as it was kept, and what its results need of it. */
export interface MapTask {
  depth: Float32Array
  size: Size
  /** Of the results. */
  to: Size
  /** As large as the results: the picture along which the map is refined; null: it is not. */
  picture: RgbPicture | null
  colors: { ends: DisplayEnds; table: ColorTable } | null
  /** Of the whole clip, for results of 16 bits. */
  levels: { min: number; max: number } | null
}

/** Each height x width of the results; null what was not asked for. */
export interface RenderedMap {
  values: Float32Array
  /** RGB, uint8. */
  colors: Uint8Array | null
  /** value = stored * (max - min) / 65535 + min; 0 where the clip has no range. */
  stored: Uint16Array | null
}

export function renderMap({ depth, size, to, picture, colors, levels }: MapTask): RenderedMap {
  const values = picture ? refined(depth, size, picture) : resizeBilinear(depth, size, to)
  return {
    values,
    colors: colors && colorize(values, colors.ends, colors.table),
    stored: levels && quantized(values, levels)
  }
}

function refined(depth: Float32Array, size: Size, picture: RgbPicture): Float32Array {
  const values = new Float32Array(picture.width * picture.height)
  guidedRows(depth, size, guideOfRgb(picture.rgb, picture), identity)(0, picture.height, values)
  return values
}

function quantized(values: Float32Array, { min, max }: { min: number; max: number }): Uint16Array {
  const stored = new Uint16Array(values.length)
  const perValue = max > min ? 65_535 / (max - min) : 0
  for (let i = 0; i < stored.length; i++) stored[i] = Math.round((values[i]! - min) * perValue)
  return stored
}
