import sharp from 'sharp'
import type { Rows, Size } from '../../maps/bilinear.ts'
import { colorTable, colorize, displayEnds } from '../../maps/colormap.ts'
import { encodeFloat16 } from '../../maps/float16.ts'
import { headerBytes } from '../../wire/frame.ts'
import type { Header, Quantity } from '../../wire/frame.ts'
import type { OutputFormat, OutputOptions } from '../../wire/output.ts'
import type { DisplayRange } from './display-range.ts'
import type { AffineMap } from '../../maps/affine-map.ts'
import { withPngTexts } from '../../maps/png-texts.ts'
import { unitOf } from '../../maps/unit.ts'
import { deflateU16 } from './deflated-u16.ts'
import { quantization, storing } from './quantize.ts'

/** A depth map and how it is wanted. */
export interface Packing {
  /** Its values, or what is stored of them. */
  rowsOf: (storing?: AffineMap) => Rows
  to: Size
  /** Smallest and largest value of the map. */
  range: DisplayRange
  /** What colours are spread over. */
  display: DisplayRange
  quantity: Quantity
  output: OutputOptions
}

export interface Packed {
  /** A message whose header is still to be written. */
  message: Uint8Array<ArrayBuffer>
  /** The part of the header that explains the payload. */
  fields: Pick<Header, 'codec' | 'dtype' | 'scale' | 'offset'>
}

/** The map as the payload of a message, in the size and format that was asked for. */
export function packDepth(packing: Packing): Packed | Promise<Packed> {
  return packers[packing.output.format](packing)
}

const packers: Record<OutputFormat, (packing: Packing) => Packed | Promise<Packed>> = {
  u16: packU16,
  f16: packF16,
  f32: packF32,
  png16: packPng16,
  jpeg: packColour,
  webp: packColour
}

const u16Levels = 65_535

function packU16({ rowsOf, to, range, output }: Packing): Packed {
  const levels = quantization(range, u16Levels)
  if (output.compression === 'deflate') {
    const stored = new Uint16Array(to.width * to.height)
    rowsOf(storing(levels, u16Levels))(0, to.height, stored)
    const payload = deflateU16(stored, to.width)
    return { message: messageOf(payload), fields: { codec: 'deflate', dtype: 'u16', ...levels } }
  }
  const message = messageFor(to.width * to.height * Uint16Array.BYTES_PER_ELEMENT)
  const stored = new Uint16Array(message.buffer, headerBytes)
  rowsOf(storing(levels, u16Levels))(0, to.height, stored)
  return { message, fields: { codec: 'raw', dtype: 'u16', ...levels } }
}

function packF32({ rowsOf, to }: Packing): Packed {
  const message = messageFor(to.width * to.height * Float32Array.BYTES_PER_ELEMENT)
  rowsOf()(0, to.height, new Float32Array(message.buffer, headerBytes))
  return { message, fields: { codec: 'raw', dtype: 'f32', scale: 1, offset: 0 } }
}

function packF16({ rowsOf, to }: Packing): Packed {
  const message = messageFor(to.width * to.height * Uint16Array.BYTES_PER_ELEMENT)
  const stored = new Uint16Array(message.buffer, headerBytes)
  inBlocks(rowsOf(), to, (values, pixel) =>
    encodeFloat16(values, stored.subarray(pixel, pixel + values.length))
  )
  return { message, fields: { codec: 'raw', dtype: 'f16', scale: 1, offset: 0 } }
}

/** With its scale and what it means inside as well, since a picture is kept without the message's header. */
async function packPng16({ rowsOf, to, range, quantity }: Packing): Promise<Packed> {
  const levels = quantization(range, u16Levels)
  const stored = new Uint16Array(to.width * to.height)
  rowsOf(storing(levels, u16Levels))(0, to.height, stored)
  // Without the colour space libvips would write 8 bits.
  const payload = await sharp(stored, { raw: { ...to, channels: 1 }, limitInputPixels: false })
    .toColourspace('grey16')
    .png({ compressionLevel: 1, adaptiveFiltering: true })
    .toBuffer()
  const told = withPngTexts(payload, { ...levels, quantity, unit: unitOf(quantity) })
  return { message: messageOf(told), fields: { codec: 'png', dtype: 'u16', ...levels } }
}

/** With the grey map a stored value is depth again, by scale and offset; with the others it is a picture only. */
async function packColour({ rowsOf, to, display, quantity, output }: Packing): Promise<Packed> {
  const ends = displayEnds(display, quantity)
  const table = colorTable(output.colormap)
  const rgb = new Uint8Array(to.width * to.height * 3)
  inBlocks(rowsOf(), to, (values, pixel) =>
    colorize(values, ends, table, rgb.subarray(pixel * 3, (pixel + values.length) * 3))
  )
  const image = sharp(rgb, { raw: { ...to, channels: 3 }, limitInputPixels: false })
  const { quality } = output
  const codec = output.format === 'webp' ? 'webp' : 'jpeg'
  const encoded = codec === 'webp' ? image.webp({ quality, effort: 0 }) : image.jpeg({ quality })
  const levels = quantization({ min: ends.far, max: ends.near }, 255)
  return { message: messageOf(await encoded.toBuffer()), fields: { codec, dtype: 'u8', ...levels } }
}

/** Rows that stay in a core's own cache between being made and being packed. */
const blockPixels = 32_768

function inBlocks(rows: Rows, to: Size, pack: (values: Float32Array, pixel: number) => void): void {
  const rowsPerBlock = Math.max(1, Math.floor(blockPixels / to.width))
  const block = new Float32Array(Math.min(rowsPerBlock, to.height) * to.width)
  for (let row = 0; row < to.height; row += rowsPerBlock) {
    const count = Math.min(rowsPerBlock, to.height - row)
    rows(row, count, block)
    pack(block.subarray(0, count * to.width), row * to.width)
  }
}

function messageFor(payloadBytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(headerBytes + payloadBytes)
}

function messageOf(payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const message = messageFor(payload.byteLength)
  message.set(payload, headerBytes)
  return message
}
