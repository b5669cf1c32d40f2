import sharp from 'sharp'
import { crc32, deflateSync } from 'node:zlib'

export interface PngHead {
  width: number
  height: number
  /** @default 8 */
  bits?: 1 | 8 | 16
  /** As PNG numbers them: 0 grey, 2 RGB, 6 RGB and alpha. @default 0 */
  colour?: 0 | 2 | 6
  isInterlaced?: boolean
}

/** A PNG that says what it is told to; `pixels` are what it has, deflated, whether or not they are enough. */
export function pngOf(
  { width, height, bits = 8, colour = 0, isInterlaced = false }: PngHead,
  pixels: Buffer
): Buffer {
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set([bits, colour, 0, 0, Number(isInterlaced)], 8)
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([
    signature,
    chunk('IHDR', head),
    chunk('IDAT', pixels),
    chunk('IEND', Buffer.alloc(0))
  ])
}

/** A black picture of some KB, which is as large as it says. */
export function blackPng(width: number, height: number): Buffer {
  return pngOf({ width, height }, deflateSync(Buffer.alloc((width + 1) * height)))
}

/** As large as a camera's, and slow to decode. */
export function noisyAvif(width: number, height: number): Promise<Buffer> {
  const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const
  const picture = sharp({ create: { width, height, channels: 3, background: '#888', noise } })
  return picture.avif({ effort: 0, quality: 60 }).toBuffer()
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, sum])
}
