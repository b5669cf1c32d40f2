import { bilinearRows } from '../../maps/bilinear.ts'
import type { Rows, Size } from '../../maps/bilinear.ts'
import { kinds, writeHeader } from '../../wire/frame.ts'
import type { Header } from '../../wire/frame.ts'
import type { AffineMap } from '../../maps/affine-map.ts'
import { composed } from '../../maps/affine-map.ts'
import type { Guide } from '../../maps/guide.ts'
import { guidedRows } from '../../maps/guided-rows.ts'
import type { OutputOptions } from '../../wire/output.ts'
import { packDepth } from './depth-packers.ts'
import type { DisplayRange } from './display-range.ts'

/** A depth map as the network gave it, and what is needed to hand it out. */
export interface DepthMap {
  /** float32, height x width, network size; all finite. */
  depth: Float32Array
  size: Size
  source: Size
  /** The picture of this very frame, along which the map is refined; null: it is not. */
  guide: Guide | null
  /** What each value becomes when it is handed out. */
  affine: AffineMap
  /** Smallest and largest value, after that. */
  range: DisplayRange
  /** The running range that a display should use. */
  display: DisplayRange
}

/** What of the header the map itself does not tell. */
export type DepthLabels = Pick<
  Header,
  'flags' | 'seq' | 'timestampUs' | 'epoch' | 'quantity' | 'queueUs' | 'computeUs'
>

/** As the header holds it, in 32 bits. */
export function microseconds(ms: number): number {
  return Math.min(2 ** 32 - 1, Math.round(ms * 1000))
}

/** The depth map as one binary message, in the size and format the session asked for. */
export async function encodeDepth(
  { depth, size, source, guide, affine, range, display }: DepthMap,
  labels: DepthLabels,
  output: OutputOptions
): Promise<Uint8Array<ArrayBuffer>> {
  const to = outputSize({ size, source }, output)
  const { quantity } = labels
  const rowsOf = (storing?: AffineMap): Rows => {
    const values = storing ? composed(affine, storing) : affine
    return guide && output.size === 'source'
      ? guidedRows(depth, size, guide, values)
      : bilinearRows(depth, size, to, values)
  }
  const { message, fields } = await packDepth({ rowsOf, to, range, display, quantity, output })
  const ends = { rangeMin: display.min, rangeMax: display.max }
  writeHeader(message, { kind: kinds.depth, ...labels, ...fields, ...to, ...ends })
  return message
}

/** Of the map that the session gets. */
export function outputSize({ size, source }: Pick<DepthMap, 'size' | 'source'>, output: OutputOptions): Size {
  return output.size === 'source' ? source : size
}
