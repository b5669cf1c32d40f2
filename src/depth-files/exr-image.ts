import { promisify } from 'node:util'
import { deflate } from 'node:zlib'
import type { Size } from '../video/index.ts'

const deflated = promisify(deflate)

/** Rows that are compressed together, by the rules of ZIP compression. */
const blockRows = 16

/** Height x width values; of `half` their bits. */
export type ExrPixels =
  { type: 'float'; values: Float32Array } | { type: 'half'; values: Uint16Array<ArrayBuffer> }

/** How OpenEXR numbers the types of a channel. */
const pixelTypes = { half: 1, float: 2 } as const

/**
 * One channel Z as an OpenEXR image of scan lines, the first row the uppermost, ZIP-compressed. `texts` become
 * string attributes. Source: "OpenEXR File Layout" and "Technical Introduction to OpenEXR" (openexr.com).
 */
export async function exrImage(
  { type, values }: ExrPixels,
  { width, height }: Size,
  texts: Readonly<Record<string, string>>
): Promise<Uint8Array> {
  const header = exrHeader(type, { width, height }, texts)
  const rows = Array.from({ length: Math.ceil(height / blockRows) }, (_, i) => i * blockRows)
  const blocks = await Promise.all(
    rows.map(async (row) => {
      const block = values.subarray(row * width, Math.min(height, row + blockRows) * width)
      return scanLines(row, new Uint8Array(block.buffer, block.byteOffset, block.byteLength))
    })
  )
  const offsets = new BigUint64Array(blocks.length)
  let at = header.byteLength + offsets.byteLength
  blocks.forEach((block, i) => {
    offsets[i] = BigInt(at)
    at += block.byteLength
  })
  return Buffer.concat([header, new Uint8Array(offsets.buffer), ...blocks])
}

function exrHeader(
  type: ExrPixels['type'],
  { width, height }: Size,
  texts: Readonly<Record<string, string>>
): Buffer {
  const box = ints(0, 0, width - 1, height - 1)
  // Not perceptually linear, three reserved bytes, one sample a pixel.
  const channel = Buffer.concat([Buffer.from('Z\0'), ints(pixelTypes[type], 0, 1, 1), Buffer.of(0)])
  return Buffer.concat([
    // Magic number; version 2, single part, scan lines.
    ints(20_000_630, 2),
    attribute('channels', 'chlist', channel),
    attribute('compression', 'compression', Buffer.of(3)),
    attribute('dataWindow', 'box2i', box),
    attribute('displayWindow', 'box2i', box),
    // Of increasing y, which points down.
    attribute('lineOrder', 'lineOrder', Buffer.of(0)),
    attribute('pixelAspectRatio', 'float', floats(1)),
    attribute('screenWindowCenter', 'v2f', floats(0, 0)),
    attribute('screenWindowWidth', 'float', floats(1)),
    ...Object.entries(texts).map(([name, text]) => attribute(name, 'string', Buffer.from(text))),
    Buffer.of(0)
  ])
}

function attribute(name: string, type: string, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${name}\0${type}\0`), ints(value.byteLength), value])
}

/** First row, number of bytes, and the bytes: compressed, or as they are where that makes them no fewer. */
async function scanLines(row: number, bytes: Uint8Array): Promise<Buffer> {
  const packed = await deflated(predicted(bytes), { level: 4 })
  const data = packed.byteLength < bytes.byteLength ? packed : bytes
  return Buffer.concat([ints(row, data.byteLength), data])
}

/** Bytes at even places, then those at odd ones, each as its difference to the one before plus 128. */
function predicted(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length)
  const half = Math.ceil(bytes.length / 2)
  let before = bytes[0]!
  out[0] = before
  for (let i = 1; i < out.length; i++) {
    const byte = bytes[i < half ? 2 * i : 2 * (i - half) + 1]!
    out[i] = byte - before + 128
    before = byte
  }
  return out
}

/** Little-endian. */
function ints(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  values.forEach((value, i) => bytes.writeInt32LE(value, i * 4))
  return bytes
}

function floats(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  values.forEach((value, i) => bytes.writeFloatLE(value, i * 4))
  return bytes
}
