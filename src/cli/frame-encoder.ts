import sharp from 'sharp'
import type { FrameInput } from '../client/index.ts'
import type { RgbPicture } from '../video/index.ts'

export const frameCodecs = ['jpeg', 'rgb24'] as const
export type FrameCodec = (typeof frameCodecs)[number]

/** What goes over the wire: about a twentieth of the pixels' bytes as JPEG, or the pixels as they are. */
export async function encodeFrame(
  { rgb, width, height }: RgbPicture,
  codec: FrameCodec
): Promise<FrameInput> {
  if (codec === 'rgb24') return { data: rgb, codec, width, height }
  const raw = { width, height, channels: 3 } as const
  return { data: await sharp(rgb, { raw }).jpeg({ quality: 90 }).toBuffer(), codec, width, height }
}
