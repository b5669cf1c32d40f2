import type { Size } from '../../src/inference/pixels/resolution.ts'

/** How a camera stands to a flat picture: a shift in pixels of the frame, and how much larger the picture is. */
export interface View {
  right?: number
  down?: number
  zoom?: number
}

/** RGB of a smooth, endless picture of blobs that another seed does not share. */
export function blobs(seed: number, size: Size, { right = 0, down = 0, zoom = 1 }: View = {}): Uint8Array {
  const waves = Array.from({ length: 8 }, (_, wave) => waveOf(seed * 97 + wave))
  const rgb = new Uint8Array(size.width * size.height * 3)
  for (let y = 0, at = 0; y < size.height; y++) {
    for (let x = 0; x < size.width; x++, at += 3) {
      const seenX = (x - size.width / 2) / zoom + right
      const seenY = (y - size.height / 2) / zoom + down
      let luma = 128
      for (const { across, along, phase } of waves)
        luma += 18 * Math.sin(across * seenX + along * seenY + phase)
      rgb.fill(Math.max(0, Math.min(255, luma)), at, at + 3)
    }
  }
  return rgb
}

/** Wave lengths from 12 to 60 pixels. */
function waveOf(seed: number): { across: number; along: number; phase: number } {
  const angle = fraction(seed * 12.9898) * Math.PI
  const frequency = (2 * Math.PI) / (12 + 48 * fraction(seed * 78.233))
  return {
    across: frequency * Math.cos(angle),
    along: frequency * Math.sin(angle),
    phase: 2 * Math.PI * fraction(seed * 37.719)
  }
}

/** In [0, 1), scattered. */
function fraction(value: number): number {
  const scattered = Math.abs(Math.sin(value) * 43_758.5453)
  return scattered - Math.floor(scattered)
}

/** Every value through `change`, clipped to 0..255. */
export function relit(rgb: Uint8Array, change: (value: number) => number): Uint8Array {
  return rgb.map((value) => Math.max(0, Math.min(255, change(value))))
}

/** RGB of what a sensor gives in the dark, about `level`: noise of so many standard deviations of a value. */
export function sensorNoise(
  seed: number,
  { width, height }: Size,
  { level, deviation }: { level: number; deviation: number }
): Uint8Array {
  const rgb = new Uint8Array(width * height * 3)
  for (let i = 0; i < rgb.length; i++) {
    const [across, around] = [fraction((seed + 1) * (2 * i + 1)), fraction((seed + 1) * (2 * i + 2))]
    const normal = Math.sqrt(-2 * Math.log(1 - across)) * Math.cos(2 * Math.PI * around)
    rgb[i] = Math.max(0, Math.min(255, Math.round(level + deviation * normal)))
  }
  return rgb
}
