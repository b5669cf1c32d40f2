import type { Codec } from './frame.ts'

/** Codecs of a frame that is an image by itself: its size is in it. */
export type ImageCodec = Exclude<Codec, 'raw' | 'deflate' | 'rgb24' | 'nv12'>

/** Bytes that an image of each format begins with, and where. A TIFF's byte order is either; BigTIFF counts as one. */
const signatures: readonly [ImageCodec, at: number, bytes: readonly number[]][] = [
  ['jpeg', 0, [0xff, 0xd8, 0xff]],
  ['png', 0, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ['webp', 8, [0x57, 0x45, 0x42, 0x50]],
  ['gif', 0, [0x47, 0x49, 0x46, 0x38]],
  ['tiff', 0, [0x49, 0x49, 0x2a, 0x00]],
  ['tiff', 0, [0x49, 0x49, 0x2b, 0x00]],
  ['tiff', 0, [0x4d, 0x4d, 0x00, 0x2a]],
  ['tiff', 0, [0x4d, 0x4d, 0x00, 0x2b]]
]

/** Brands of the HEIF container (ISO/IEC 23008-12) that name their codec. */
const heifBrands: Readonly<Record<string, 'avif' | 'heic'>> = {
  ...{ avif: 'avif', avis: 'avif' },
  ...{ heic: 'heic', heix: 'heic', heim: 'heic', heis: 'heic', hevc: 'heic', hevx: 'heic' }
}

/** Why a HEIC is refused, and what to do: its codec is patented, and the decoder here has none. */
export const heicRemedy =
  'HEIC cannot be read; save it as JPEG or AVIF (on an iPhone: Settings, Camera, Formats, Most Compatible)'

/** Which image this is by its first bytes, whatever its label says; null: none that is known. */
export function imageSignature(image: Uint8Array): ImageCodec | 'heic' | null {
  for (const [codec, at, bytes] of signatures) {
    if (bytes.every((byte, i) => image[at + i] === byte)) return codec
  }
  return heifCodec(image)
}

/** By the brands in the `ftyp` box, which is the first: the major one at 8, compatible ones from 16 on. */
function heifCodec(image: Uint8Array): 'avif' | 'heic' | null {
  if (text(image, 4) !== 'ftyp') return null
  const boxBytes = new DataView(image.buffer, image.byteOffset, image.byteLength).getUint32(0)
  const end = Math.min(boxBytes, image.byteLength, 256)
  const brands = [text(image, 8)]
  for (let at = 16; at + 4 <= end; at += 4) brands.push(text(image, at))
  return brands.map((brand) => heifBrands[brand]).find((codec) => codec !== undefined) ?? null
}

function text(image: Uint8Array, at: number): string {
  return String.fromCharCode(...image.subarray(at, at + 4))
}
