import sharp from 'sharp'
import { LeadlineError } from '../../../errors.ts'
import type { DepthTruth } from './sequence.ts'

export interface DepthRules {
  /** Value of a pixel that is one metre away. */
  unitsPerMetre: number
  /** From here on depth counts as unknown. */
  maxDepthM: number
}

/** Pixels cut off at each side, where a sensor's depth is not registered with its colour. */
export interface Border {
  rows: number
  columns: number
}

/** A PNG of one channel and 16 bits; 0 is unknown in all the data sets read here. Throws DATA_INVALID. */
export async function readDepthPng(
  file: string,
  { unitsPerMetre, maxDepthM }: DepthRules
): Promise<DepthTruth> {
  const image = sharp(file)
  const { depth, channels } = await image.metadata().catch((cause: unknown) => {
    throw new LeadlineError('DATA_INVALID', `${file} is not an image; fetch it again`, { cause })
  })
  if (depth !== 'ushort' || channels !== 1) {
    throw new LeadlineError(
      'DATA_INVALID',
      `${file} is ${channels} x ${depth}; depth is one channel of 16 bits, ${unitsPerMetre} to the metre`
    )
  }
  const { data, info } = await image
    .toColourspace('grey16')
    .raw({ depth: 'ushort' })
    .toBuffer({ resolveWithObject: true })
  const units = new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2)
  const depthM = Float32Array.from(units, (unit) => unit / unitsPerMetre)
  return { width: info.width, height: info.height, depthM: known(depthM, maxDepthM) }
}

/** Sets to 0, in place, what is not a depth from above 0 to below `maxDepthM`. NaN is none. */
export function known(depthM: Float32Array, maxDepthM: number): Float32Array {
  for (let i = 0; i < depthM.length; i++) {
    const depth = depthM[i] ?? 0
    if (!(depth > 0 && depth < maxDepthM)) depthM[i] = 0
  }
  return depthM
}

/** Sets the border to 0, in place. */
export function withoutBorder(truth: DepthTruth, { rows, columns }: Border): DepthTruth {
  const { width, height, depthM } = truth
  for (let y = 0; y < height; y++) {
    const isInside = y >= rows && y < height - rows
    const row = depthM.subarray(y * width, (y + 1) * width)
    row.fill(0, 0, isInside ? columns : width)
    row.fill(0, Math.max(0, width - columns))
  }
  return truth
}
