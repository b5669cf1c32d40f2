import type { Guide } from '../../maps/guide.ts'
import { silentMatrix } from '../../maps/yuv-matrix.ts'
import type { Size } from './resolution.ts'

/** The planes of an NV12 image: luma at full size, both chroma planes at half of it. */
export interface Planes {
  y: Uint8Array
  u: Uint8Array
  v: Uint8Array
}

/** What white is above black in limited range. */
const limitedContrast = 235 - 16

/**
 * Coefficients of limited-range YCbCr (luma 16..235, chroma 16..240), of which NV12 does not say which matrix made it.
 * Sources: ITU-R BT.601-7 and BT.709-6, from Kr and Kb.
 */
export function yuvMatrix(source: Size): { rv: number; gu: number; gv: number; bu: number } {
  const [kr, kb] = silentMatrix(source) === 'bt709' ? [0.2126, 0.0722] : [0.299, 0.114]
  const kg = 1 - kr - kb
  const chroma = 255 / 224
  return {
    rv: chroma * 2 * (1 - kr),
    gu: (-chroma * 2 * (1 - kb) * kb) / kg,
    gv: (-chroma * 2 * (1 - kr) * kr) / kg,
    bu: chroma * 2 * (1 - kb)
  }
}

/** Take NV12's interleaved chroma apart. `bytes` holds width x height luma, then width/2 x height/2 pairs of U and V. */
export function splitNv12(bytes: Uint8Array, { width, height }: Size): Planes {
  const y = bytes.subarray(0, width * height)
  const uv = bytes.subarray(width * height)
  const u = new Uint8Array(uv.length / 2)
  const v = new Uint8Array(uv.length / 2)
  for (let i = 0; i < u.length; i++) {
    u[i] = uv[i * 2] ?? 0
    v[i] = uv[i * 2 + 1] ?? 0
  }
  return { y, u, v }
}

/** Luma as it is; a copy, since the plane is part of a message. */
export function guideOfNv12(bytes: Uint8Array, { width, height }: Size): Guide {
  const luma = Uint8Array.from(bytes.subarray(0, width * height))
  return { luma, contrast: limitedContrast, width, height }
}

/** RGB, three bytes a pixel, from three planes of the same size. */
export function planesToRgb({ y, u, v }: Planes, matrix: ReturnType<typeof yuvMatrix>): Uint8Array {
  const rgb = new Uint8ClampedArray(y.length * 3)
  for (let i = 0; i < y.length; i++) {
    const luma = ((y[i] ?? 0) - 16) * (255 / limitedContrast)
    const cb = (u[i] ?? 0) - 128
    const cr = (v[i] ?? 0) - 128
    rgb[i * 3] = luma + matrix.rv * cr
    rgb[i * 3 + 1] = luma + matrix.gu * cb + matrix.gv * cr
    rgb[i * 3 + 2] = luma + matrix.bu * cb
  }
  return new Uint8Array(rgb.buffer)
}
