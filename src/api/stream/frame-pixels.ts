import { imageSize } from 'image-size'
import type { ValidFrame } from '../../wire/frame.ts'

/** Millions of pixels of a frame: of an image what the image itself says. One that cannot be read has none, and fails later. */
export function megapixelsOf({ header, payload }: ValidFrame): number {
  const { codec, width, height } = header
  return codec === 'rgb24' || codec === 'nv12' ? (width * height) / 1e6 : megapixelsOfImage(payload)
}

/** The same of an image by itself. */
export function megapixelsOfImage(image: Uint8Array): number {
  const { width, height } = sizeOfImage(image)
  return (width * height) / 1e6
}

function sizeOfImage(image: Uint8Array): { width: number; height: number } {
  try {
    return imageSize(image)
  } catch {
    return { width: 0, height: 0 }
  }
}
