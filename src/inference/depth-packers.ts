import sharp from 'sharp'
import type { DisplayEnds } from '../colormap.ts'
import { colorTable, colorize } from '../colormap.ts'
import { encodeFloat16 } from '../float16.ts'
import type { Header } from '../frame.ts'
import type { OutputFormat, OutputOptions } from '../session.ts'
import type { DisplayRange } from './display-range.ts'
import { quantization, quantizeU16 } from './quantize.ts'
import type { Size } from './resolution.ts'

/** What a packer needs to know before the first value. */
export interface PackerInput {
  size: Size
  /** Smallest and largest value of this map. */
  range: DisplayRange
  /** What colours are spread over. */
  ends: DisplayEnds
  output: OutputOptions
}

/** Takes a map slice by slice, in order, and gives the payload and the header fields that explain it. */
export interface Packer {
  readonly fields: Pick<Header, 'codec' | 'dtype' | 'scale' | 'offset'>
  /** `pixel` is the place of the first value in the map. */
  pack(values: Float32Array, pixel: number): void
  finish(): Promise<Uint8Array>
}

export function createPacker(input: PackerInput): Packer {
  return packers[input.output.format](input)
}

const packers: Record<OutputFormat, (input: PackerInput) => Packer> = {
  u16: packU16,
  f16: packF16,
  f32: packF32,
  png16: packPng16,
  jpeg: packColour,
  webp: packColour
}

function packU16({ size, range }: PackerInput): Packer {
  const levels = quantization(range, 65_535)
  const stored = new Uint16Array(size.width * size.height)
  return {
    fields: { codec: 'raw', dtype: 'u16', ...levels },
    pack: (values, pixel) => stored.set(quantizeU16(values, levels), pixel),
    finish: async () => bytesOf(stored)
  }
}

function packF16({ size }: PackerInput): Packer {
  const stored = new Uint16Array(size.width * size.height)
  return {
    fields: { codec: 'raw', dtype: 'f16', scale: 1, offset: 0 },
    pack: (values, pixel) => stored.set(encodeFloat16(values), pixel),
    finish: async () => bytesOf(stored)
  }
}

function packF32({ size }: PackerInput): Packer {
  const stored = new Float32Array(size.width * size.height)
  return {
    fields: { codec: 'raw', dtype: 'f32', scale: 1, offset: 0 },
    pack: (values, pixel) => stored.set(values, pixel),
    finish: async () => bytesOf(stored)
  }
}

function packPng16({ size, range }: PackerInput): Packer {
  const levels = quantization(range, 65_535)
  const stored = new Uint16Array(size.width * size.height)
  return {
    fields: { codec: 'png', dtype: 'u16', ...levels },
    pack: (values, pixel) => stored.set(quantizeU16(values, levels), pixel),
    // Without the colour space libvips would write 8 bits.
    finish: () =>
      sharp(stored, { raw: { ...size, channels: 1 }, limitInputPixels: false })
        .toColourspace('grey16')
        .png({ compressionLevel: 1, adaptiveFiltering: true })
        .toBuffer()
  }
}

/** With the grey map a stored value is depth again, by scale and offset; with the others it is a picture only. */
function packColour({ size, ends, output }: PackerInput): Packer {
  const table = colorTable(output.colormap)
  const rgb = new Uint8Array(size.width * size.height * 3)
  const encode = output.format === 'webp' ? 'webp' : 'jpeg'
  return {
    fields: { codec: encode, dtype: 'u8', ...quantization({ min: ends.far, max: ends.near }, 255) },
    pack: (values, pixel) => rgb.set(colorize(values, ends, table), pixel * 3),
    finish: () => {
      const image = sharp(rgb, { raw: { ...size, channels: 3 }, limitInputPixels: false })
      const { quality } = output
      return (encode === 'webp' ? image.webp({ quality, effort: 0 }) : image.jpeg({ quality })).toBuffer()
    }
  }
}

function bytesOf(values: Uint16Array | Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}
