import type { ColorTable, DisplayEnds } from '../../maps/colormap.ts'
import { colorTable, displayEnds } from '../../maps/colormap.ts'
import type { Colormap } from '../../wire/output.ts'
import type { Header } from '../../wire/frame.ts'

/** Of a depth map, such as a `DepthResult`, what it takes to show it. */
export interface ShownDepth {
  header: Pick<Header, 'width' | 'height' | 'rangeMin' | 'rangeMax' | 'quantity'>
  /** Height x width. */
  values(): Float32Array
}

export interface DrawDepthOptions {
  /** @default 'turbo' */
  colormap?: Colormap
  /** The values that get the two ends of the colour map. @default those of the depth map's display range */
  ends?: DisplayEnds
}

/** The values that a depth map wants at the two ends of a display. */
export function depthEnds({ header }: Pick<ShownDepth, 'header'>): DisplayEnds {
  return displayEnds({ min: header.rangeMin, max: header.rangeMax }, header.quantity)
}

/** Draw a depth map of format u16, f16 or f32 in colours, near to far, on a canvas, which becomes as large as the map. */
export function drawDepth(
  depth: ShownDepth,
  canvas: HTMLCanvasElement | OffscreenCanvas,
  { colormap = 'turbo', ends = depthEnds(depth) }: DrawDepthOptions = {}
): void {
  const { width, height } = depth.header
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height })
  const context = canvas.getContext('2d') as CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D
  const image = context.createImageData(width, height)
  fill(image.data, depth.values(), ends, tableOf(colormap))
  context.putImageData(image, 0, 0)
}

function fill(
  rgba: Uint8ClampedArray,
  values: Float32Array,
  { far, near }: DisplayEnds,
  table: ColorTable
): void {
  const scale = near === far ? 0 : 255 / (near - far)
  for (let i = 0, at = 0; i < values.length; i++, at += 4) {
    const entry = 3 * Math.round(Math.min(255, Math.max(0, (values[i]! - far) * scale)))
    rgba[at] = table[entry]!
    rgba[at + 1] = table[entry + 1]!
    rgba[at + 2] = table[entry + 2]!
    rgba[at + 3] = 255
  }
}

const tables = new Map<Colormap, ColorTable>()

function tableOf(colormap: Colormap): ColorTable {
  const table = tables.get(colormap) ?? colorTable(colormap)
  tables.set(colormap, table)
  return table
}
