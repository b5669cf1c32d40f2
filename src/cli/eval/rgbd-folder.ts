import { readdir } from 'node:fs/promises'
import path from 'node:path'
import sharp from 'sharp'
import { LeadlineError } from '../../errors.ts'

/** A sequence on disk: pictures in `color/`, depth in `depth/`, in the order of their names. */
export interface RgbdFrame {
  name: string
  colorPath: string
  depthPath: string
}

export interface DepthTruth {
  width: number
  height: number
  /** Millimetres, 0 where it is not known. */
  truthMm: Uint16Array
}

/** Pairs `color/NAME.jpg` (or png, webp) with `depth/NAME.png`. Throws DATA_INVALID. */
export async function listRgbd(folder: string): Promise<RgbdFrame[]> {
  const colors = await list(path.join(folder, 'color'), /\.(jpe?g|png|webp)$/i)
  const depths = await list(path.join(folder, 'depth'), /\.png$/i)
  const depthOf = new Map(depths.map((file) => [path.parse(file).name, file]))
  return colors.map((colorPath) => {
    const { name } = path.parse(colorPath)
    const depthPath = depthOf.get(name)
    if (depthPath === undefined) {
      throw new LeadlineError('DATA_INVALID', `${colorPath} has no depth/${name}.png beside it`)
    }
    return { name, colorPath, depthPath }
  })
}

async function list(folder: string, pattern: RegExp): Promise<string[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new LeadlineError(
      'DATA_INVALID',
      `${folder} cannot be read; the data needs folders color/ and depth/`,
      { cause }
    )
  })
  const files = names.filter((name) => pattern.test(name)).sort()
  if (files.length === 0)
    throw new LeadlineError('DATA_INVALID', `${folder} holds no pictures (${pattern.source})`)
  return files.map((name) => path.join(folder, name))
}

/** A 16-bit PNG of one channel. Throws DATA_INVALID. */
export async function readDepthTruth(depthPath: string): Promise<DepthTruth> {
  const image = sharp(depthPath)
  const { depth, channels } = await image.metadata().catch((cause: unknown) => {
    throw new LeadlineError('DATA_INVALID', `${depthPath} is not an image`, { cause })
  })
  if (depth !== 'ushort' || channels !== 1) {
    throw new LeadlineError(
      'DATA_INVALID',
      `${depthPath} is ${channels} x ${depth}; depth is one channel of 16 bits, in millimetres`
    )
  }
  const { data, info } = await image
    .toColourspace('grey16')
    .raw({ depth: 'ushort' })
    .toBuffer({ resolveWithObject: true })
  const truthMm = new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2)
  return { width: info.width, height: info.height, truthMm }
}
