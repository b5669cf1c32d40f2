import sharp from 'sharp'
import { depthValues } from '../../maps/depth-values.ts'
import { decodeMessage, flags, kinds } from '../../wire/frame.ts'
import type { Header, ValidFrame } from '../../wire/frame.ts'
import { inflateU16 } from '../pixels/deflated-u16.ts'
import type { DisplayRange } from '../pixels/display-range.ts'
import type { Size } from '../pixels/resolution.ts'
import { gridSize } from './frame-grid.ts'
import type { Seam } from './seam.ts'

/** A seam as its depth map tells it, and nothing else. */
export interface GivenSeam extends Seam {
  display: DisplayRange
}

/** Points along a side of a cell. */
const samples = 4

/**
 * The seam of a depth map's message, on the grid of frames of the network's `size`. Null where it has no values (jpeg, webp),
 * shows nothing, or is of another epoch. Throws FRAME_MALFORMED and FRAME_DECODE_FAILED.
 */
export async function givenSeam(message: Uint8Array, size: Size, epoch: number): Promise<GivenSeam | null> {
  const map = decodeMessage(message)
  const { header } = map
  if (header.kind !== kinds.depth || header.epoch !== epoch || (header.flags & flags.blank) !== 0) return null
  const values = await valuesOf(map)
  if (values === null) return null
  const cells = cellsOf(values, header, size)
  return { seq: header.seq, cells, display: { min: header.rangeMin, max: header.rangeMax } }
}

async function valuesOf(map: ValidFrame): Promise<Float32Array | null> {
  const { codec, width, height } = map.header
  if (codec === 'raw') return depthValues(map)
  if (codec === 'deflate') return plainValues(map.header, inflateU16(map.payload, map.header))
  if (codec !== 'png') return null
  const image = sharp(map.payload, { limitInputPixels: width * height }).toColourspace('grey16')
  const { data } = await image.raw({ depth: 'ushort' }).toBuffer({ resolveWithObject: true })
  return plainValues(map.header, Uint8Array.from(data))
}

function plainValues(
  header: Header,
  { buffer }: Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer>
): Float32Array {
  return depthValues({ header: { ...header, codec: 'raw', dtype: 'u16' }, payload: new Uint8Array(buffer) })
}

/** Mean of each cell. The map may have another size than the network's frame: it shows the same picture. */
function cellsOf(values: Float32Array, map: Size, size: Size): Float32Array {
  const { cell, width, height } = gridSize(size)
  const [across, down] = [map.width / size.width, map.height / size.height]
  const cells = new Float32Array(width * height)
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      let sum = 0
      for (let j = 0; j < samples; j++) {
        const row = Math.floor(down * cell * (y + (j + 0.5) / samples))
        for (let k = 0; k < samples; k++)
          sum += values[row * map.width + Math.floor(across * cell * (x + (k + 0.5) / samples))] ?? 0
      }
      cells[i] = sum / samples ** 2
    }
  }
  return cells
}
