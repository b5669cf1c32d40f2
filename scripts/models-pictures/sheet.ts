import sharp from 'sharp'
import { colorize, colorTable } from '../../src/maps/colormap.ts'
import type { Moment, Plane } from './clip.ts'

const sheetWidth = 960
const maxSheetBytes = 250 * 1024
const table = colorTable('turbo')

export interface Sheet {
  jpeg: Buffer
  /** What its rows show, from the top. */
  rows: string[]
}

/**
 * Moments side by side, in each the frame, under it the depth, and under that the true depth where there is one: near is
 * red, far is blue, black is unknown. One range of colours for the whole sheet: that of the truth, else of the depth.
 */
export async function drawSheet(moments: readonly Moment[]): Promise<Sheet> {
  const planes = moments.map(({ depth, truth }) => truth ?? depth)
  const isKnown = moments.some(({ truth }) => truth !== null)
  const range = percentiles(planes, isKnown ? (value) => value > 0 : () => true)
  const columns = moments.map(({ frame, depth, truth }) => [
    { rgb: frame.rgb, width: frame.width, height: frame.height },
    painted(depth, range, false),
    ...(truth === null ? [] : [painted(truth, range, true)])
  ])
  const cellWidth = Math.floor(sheetWidth / moments.length)
  const { width = 1, height = 1 } = moments[0]?.frame ?? {}
  const cellHeight = Math.round((cellWidth * height) / width)
  const cells = columns.flatMap((images, column) =>
    images.map(async ({ rgb, width, height }, row) => ({
      input: await sharp(rgb, { raw: { width, height, channels: 3 } })
        .resize(cellWidth, cellHeight, { fit: 'fill' })
        .png()
        .toBuffer(),
      left: column * cellWidth,
      top: row * cellHeight
    }))
  )
  const rows = isKnown ? ['frame', 'depth', 'true depth'] : ['frame', 'depth']
  const size = { width: cellWidth * moments.length, height: cellHeight * rows.length }
  const canvas = sharp({ create: { ...size, channels: 3, background: 'black' } }).composite(
    await Promise.all(cells)
  )
  return { jpeg: await compress(await canvas.png().toBuffer()), rows }
}

function painted(
  { values, width, height }: Plane,
  [low, high]: readonly [number, number],
  hasUnknown: boolean
) {
  const rgb = colorize(values, { far: low, near: high }, table)
  if (hasUnknown) values.forEach((value, i) => value === 0 && rgb.fill(0, 3 * i, 3 * i + 3))
  return { rgb, width, height }
}

/** The 2nd and 98th percentile of the values that count. */
function percentiles(planes: readonly Plane[], counts: (value: number) => boolean): [number, number] {
  const values = planes.flatMap((plane) => [...plane.values].filter(counts)).sort((a, b) => a - b)
  const at = (share: number) => values[Math.min(values.length - 1, Math.floor(share * values.length))] ?? 0
  return [at(0.02), at(0.98)]
}

/** The best quality that stays small enough to live in the repository. */
async function compress(png: Buffer): Promise<Buffer> {
  for (let quality = 84; quality > 40; quality -= 8) {
    const jpeg = await sharp(png).jpeg({ quality, mozjpeg: true }).toBuffer()
    if (jpeg.byteLength <= maxSheetBytes) return jpeg
  }
  return sharp(png).jpeg({ quality: 40, mozjpeg: true }).toBuffer()
}
