import { setImmediate as nextTurn } from 'node:timers/promises'
import { displayEnds } from '../colormap.ts'
import { encodeMessage, kinds } from '../frame.ts'
import type { Header } from '../frame.ts'
import type { OutputOptions } from '../session.ts'
import { createPacker } from './depth-packers.ts'
import { bilinearRows } from './depth-resize.ts'
import type { DisplayRange } from './display-range.ts'
import type { Size } from './resolution.ts'

/** A depth map as the network gave it, and what is needed to hand it out. */
export interface DepthMap {
  /** float32, height x width, network size; all finite. */
  depth: Float32Array
  size: Size
  source: Size
  /** Smallest and largest value of `depth`. */
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

/** About 3 ms of arithmetic on a slow core: sockets and heartbeats never wait longer for a large map. */
const pixelsPerSlice = 131_072

/** The depth map as one binary message, in the size and format the session asked for. */
export async function encodeDepth(
  map: DepthMap,
  labels: DepthLabels,
  output: OutputOptions
): Promise<Uint8Array> {
  const size = output.size === 'source' ? map.source : map.size
  const { range, display } = map
  const packer = createPacker({ size, range, ends: displayEnds(display, labels.quantity), output })
  const rowsFrom = bilinearRows(map.depth, map.size, size)
  const rowsPerSlice = Math.max(1, Math.floor(pixelsPerSlice / size.width))
  for (let row = 0; row < size.height; row += rowsPerSlice) {
    if (row > 0) await nextTurn()
    packer.pack(rowsFrom(row, Math.min(rowsPerSlice, size.height - row)), row * size.width)
  }
  const payload = await packer.finish()
  const header: Header = {
    kind: kinds.depth,
    ...labels,
    ...packer.fields,
    ...size,
    rangeMin: display.min,
    rangeMax: display.max
  }
  return encodeMessage(header, payload)
}
