import sharp from 'sharp'

/** A JPEG with as much detail as video has: a smooth picture with some noise. */
export async function noisyJpeg({ width, height }: { width: number; height: number }): Promise<Uint8Array> {
  const rgb = new Uint8Array(width * height * 3)
  for (let i = 0, noise = 1; i < rgb.length; i++) {
    noise = (Math.imul(noise, 1664525) + 1013904223) >>> 0
    rgb[i] = 128 + 90 * Math.sin(i / 700) + (noise >>> 28)
  }
  return sharp(rgb, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 85 })
    .toBuffer()
}
