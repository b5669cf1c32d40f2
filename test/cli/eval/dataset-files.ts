import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import sharp from 'sharp'

/** A depth map of one row, as 16-bit PNG; its folder is made. */
export async function writeDepth(file: string, units: readonly number[]): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true })
  const raw = { width: units.length, height: 1, channels: 1 } as const
  await sharp(Uint16Array.from(units), { raw }).toColourspace('grey16').png().toFile(file)
}

/** A file with this content; its folder is made. */
export async function writeData(file: string, content: string | Buffer = ''): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true })
  await writeFile(file, content)
}

/** Sintel's depth map of one row, in metres. */
export function dpt(depthM: readonly number[]): Buffer {
  const bytes = Buffer.alloc(12 + 4 * depthM.length)
  bytes.write('PIEH', 'latin1')
  bytes.writeInt32LE(depthM.length, 4)
  bytes.writeInt32LE(1, 8)
  depthM.forEach((depth, i) => bytes.writeFloatLE(depth, 12 + 4 * i))
  return bytes
}

/** Sintel's camera: 3 x 3 intrinsics, then 3 x 4 world to camera. */
export function cam(intrinsics: readonly number[], extrinsics: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 + 8 * 21)
  bytes.write('PIEH', 'latin1')
  ;[...intrinsics, ...extrinsics].forEach((value, i) => bytes.writeDoubleLE(value, 4 + 8 * i))
  return bytes
}
