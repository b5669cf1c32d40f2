import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import sharp from 'sharp'
import type { Size } from '../maps/bilinear.ts'
import { LeadlineError } from '../errors.ts'
import type { RgbPicture, VideoFrame } from './reader.ts'

const imageName = /\.(?:jpe?g|png|webp|tiff?|avif)$/i
const byNumber = new Intl.Collator('en', { numeric: true })

/** The images of a folder by name, numbers in them by their value (2 before 10). Throws CLIP_INVALID when there is none. */
export async function imagesOf(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => imageName.test(name) && !name.startsWith('.'))
  if (names.length === 0)
    throw new LeadlineError(
      'CLIP_INVALID',
      `${folder} has no image in it; what is read are .jpg, .png, .webp, .tif and .avif`
    )
  return names.sort(byNumber.compare).map((name) => path.join(folder, name))
}

/** Images as frames, `fps` a second, upright and as large as the first. Throws CLIP_INVALID, which names the image at fault. */
export async function* readImages(
  images: readonly string[],
  fps: number
): AsyncGenerator<VideoFrame, void, undefined> {
  let size: Size | null = null
  for (const [i, image] of images.entries()) {
    const picture: RgbPicture = await readImage(image, size)
    size ??= { width: picture.width, height: picture.height }
    yield { ...picture, timestampUs: Math.round((i * 1e6) / fps) }
  }
}

async function readImage(image: string, size: Size | null): Promise<RgbPicture> {
  try {
    const picture = sharp(await readFile(image))
      .rotate()
      .toColourspace('srgb')
      .removeAlpha()
    if (size !== null) picture.resize(size.width, size.height, { fit: 'fill' })
    const { data: rgb, info } = await picture.raw().toBuffer({ resolveWithObject: true })
    return { rgb, width: info.width, height: info.height }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new LeadlineError('CLIP_INVALID', `${image} is no image that can be decoded: ${reason}`, { cause })
  }
}
