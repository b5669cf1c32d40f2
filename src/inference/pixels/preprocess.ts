import sharp from 'sharp'
import type { Sharp, SharpOptions } from 'sharp'
import { LeadlineError } from '../../errors.ts'
import type { ValidFrame } from '../../wire/frame.ts'
import type { ImageCodec } from '../../wire/image-signature.ts'
import { heicRemedy, imageSignature } from '../../wire/image-signature.ts'
import { guideOfRgb } from '../../maps/guide.ts'
import type { Guide } from '../../maps/guide.ts'
import type { ResolutionRule } from '../../manifest.ts'
import { decoderComplaint } from './decoder-complaint.ts'
import { decodingMs } from './decoding-time.ts'
import { networkSize } from './resolution.ts'
import type { Size } from './resolution.ts'
import { guideOfNv12, planesToRgb, splitNv12, yuvMatrix } from './yuv.ts'

export interface PrepareOptions {
  rule: ResolutionRule
  /** Largest width times height of a source. */
  maxPixels: number
  /** An image that takes longer by its head is not decoded here: `SlowerThanLane` says so. @default none is */
  laneMs?: number
  /** Whether depth will be refined along the picture. */
  withGuide: boolean
}

/** A frame as the network takes it, normalisation aside (that is inside the graph). */
export interface PreparedFrame {
  /** RGB, uint8, height x width x 3. */
  rgb: Uint8Array
  size: Size
  /** As shown, after EXIF rotation. */
  source: Size
}

/** A frame and the picture to refine its depth along. */
export interface Decoded<F extends PreparedFrame = PreparedFrame> {
  prepared: F
  /** As large as the source; null unless it was asked for. */
  guide: Guide | null
}

/** An image that may be decoded, elsewhere. */
export class SlowerThanLane extends Error {}

/** The result header holds a side in 16 bits. */
const maxSide = 65_535

/** From memory, and from files, which are only ever the user's own. */
const loaders = ['Jpeg', 'Png', 'Webp', 'Heif', 'Tiff', 'Nsgif'].flatMap((name) => [
  `VipsForeignLoad${name}Buffer`,
  `VipsForeignLoad${name}File`
])

/**
 * libvips once per process: one thread per image, since images come in numbers and the executor wants the other cores,
 * and no cache, since no video frame comes twice.
 */
export function configureDecoder(): void {
  sharp.concurrency(1)
  sharp.cache(false)
  // Of the forty formats that libvips reads, those that are taken: SVG, PDF or FITS reach no decoder, whoever asks for one.
  sharp.block({ operation: ['VipsForeignLoad'] })
  sharp.unblock({ operation: loaders })
}

/**
 * Decode a frame and resize it to the network size. The kernel is `cubic` (Catmull-Rom) as in the reference, which uses
 * OpenCV's; unlike that one, libvips widens the kernel when it shrinks, so that fine texture does not alias.
 * Throws FRAME_DECODE_FAILED, FRAME_TOO_LARGE or FRAME_UNSUPPORTED, and `SlowerThanLane`.
 */
export async function prepareFrame(frame: ValidFrame, options: PrepareOptions): Promise<Decoded> {
  const { payload, header } = frame
  const { codec, seq } = header
  const { rule, withGuide } = options
  try {
    if (codec === 'raw' || codec === 'deflate')
      throw new LeadlineError('FRAME_UNSUPPORTED', `Frame ${seq} cannot be "${codec}"`)
    if (codec === 'rgb24') {
      const guide = withGuide ? guideOfRgb(payload, header) : null
      return { prepared: await prepareRgb(payload, header, rule), guide }
    }
    if (codec === 'nv12') {
      const guide = withGuide ? guideOfNv12(payload, header) : null
      return { prepared: await prepareNv12(payload, header, rule), guide }
    }
    return await prepareImage(payload, codec, options)
  } catch (error) {
    if (error instanceof LeadlineError || error instanceof SlowerThanLane) throw error
    const reason = decoderComplaint(error instanceof Error ? error.message : String(error))
    throw new LeadlineError('FRAME_DECODE_FAILED', `Frame ${seq} as ${codec}: ${reason}`, { cause: error })
  }
}

async function prepareImage(bytes: Uint8Array, codec: ImageCodec, options: PrepareOptions): Promise<Decoded> {
  checkSignature(bytes, codec)
  const metadata = await sharp(bytes, { limitInputPixels: false }).metadata()
  const source = metadata.autoOrient
  checkSize(source, options.maxPixels)
  const { laneMs = Infinity, withGuide } = options
  const { isProgressive = false } = metadata
  if (decodingMs({ codec, source, isProgressive, withGuide }) > laneMs) throw new SlowerThanLane()
  const size = networkSize(source, options.rule)
  // A JPEG that lost a part (a restart marker, say) is a warning to its decoder; other formats warn of trifles.
  const failOn = codec === 'jpeg' ? 'warning' : 'error'
  const input: SharpOptions = { failOn, limitInputPixels: options.maxPixels }
  const image = sharp(bytes, input).autoOrient().toColourspace('srgb')
  const opaque = metadata.hasAlpha ? await withoutAlpha(image) : image
  // Decoded twice, since a JPEG to be shrunk is decoded small, and what the network sees does not depend on the output.
  const guide = withGuide ? guideOfRgb(await toRgb(opaque.clone()), source) : null
  return { prepared: { rgb: await toRgb(resize(opaque, size)), size, source }, guide }
}

/** Dropped before resizing, which would blend colour with what shows through. */
async function withoutAlpha(image: Sharp): Promise<Sharp> {
  const { data, info } = await image.removeAlpha().raw().toBuffer({ resolveWithObject: true })
  return sharp(data, { raw: { width: info.width, height: info.height, channels: 3 } })
}

/** Pixels that need no decoding: resized, or as they are when they have the network size already. */
export async function prepareRgb(
  bytes: Uint8Array,
  source: Size,
  rule: ResolutionRule
): Promise<PreparedFrame> {
  const size = networkSize(source, rule)
  const rgb = sameSize(source, size) ? bytes : await toRgb(resize(raw(bytes, source, 3), size))
  return { rgb, size, source: { width: source.width, height: source.height } }
}

/** The planes are resized apart and joined at network size: the same picture for a fraction of the arithmetic. */
async function prepareNv12(bytes: Uint8Array, source: Size, rule: ResolutionRule): Promise<PreparedFrame> {
  const size = networkSize(source, rule)
  const half = { width: source.width / 2, height: source.height / 2 }
  const planes = splitNv12(bytes, source)
  const [y, u, v] = await Promise.all([
    sameSize(source, size) ? planes.y : toPlane(resize(raw(planes.y, source, 1), size)),
    toPlane(resize(raw(planes.u, half, 1), size)),
    toPlane(resize(raw(planes.v, half, 1), size))
  ])
  const rgb = planesToRgb({ y, u, v }, yuvMatrix(source))
  return { rgb, size, source: { width: source.width, height: source.height } }
}

/** What lies about its codec never reaches a decoder. */
function checkSignature(bytes: Uint8Array, codec: ImageCodec): void {
  const signature = imageSignature(bytes)
  if (signature === codec) return
  if (signature === 'heic') throw new LeadlineError('FRAME_DECODE_FAILED', heicRemedy)
  const found = signature ?? `0x${Buffer.from(bytes.subarray(0, 12)).toString('hex')}`
  throw new LeadlineError('FRAME_DECODE_FAILED', `The payload is no ${codec}: it starts as ${found}`)
}

function checkSize({ width, height }: Size, maxPixels: number): void {
  if (width * height <= maxPixels && Math.max(width, height) <= maxSide) return
  throw new LeadlineError(
    'FRAME_TOO_LARGE',
    `The image is ${width}x${height}; at most ${maxPixels} pixels and ${maxSide} a side are allowed`
  )
}

function raw(bytes: Uint8Array, { width, height }: Size, channels: 1 | 3): Sharp {
  return sharp(bytes, { raw: { width, height, channels }, limitInputPixels: false })
}

function resize(image: Sharp, { width, height }: Size): Sharp {
  return image.resize(width, height, { fit: 'fill', kernel: 'cubic' })
}

function toRgb(image: Sharp): Promise<Uint8Array> {
  return image.raw().toBuffer()
}

/** libvips widens one channel to three unless told that it is grey. */
function toPlane(image: Sharp): Promise<Uint8Array> {
  return image.toColourspace('b-w').raw().toBuffer()
}

function sameSize(a: Size, b: Size): boolean {
  return a.width === b.width && a.height === b.height
}
