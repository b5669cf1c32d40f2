import { unzipSync } from 'fflate'
import { expect } from 'vitest'
import type { TestApp } from './build-app.ts'
import { eventually } from './eventually.ts'

export interface ClipBody {
  id: string
  state: string
  progress: { frames: number; frameCount: number | null }
  video: { fps: number | null }
  warnings: { firstFrame: number; lastFrame: number; detail: string }[]
  blankFrames?: number
  failure: { code: string; detail: string } | null
  links: { self: string; results: Record<string, string> }
  code?: string
  detail?: string
}

export const post = (app: TestApp['app'], video: Buffer, query = '') =>
  app.inject({
    method: 'POST',
    url: `/v1/clips${query}`,
    payload: video,
    headers: { 'content-type': 'video/mp4' }
  })

/** The clip once it has ended. */
export async function ended(app: TestApp['app'], id: string): Promise<ClipBody> {
  await eventually(async () => (await state(app, id)).state).toMatch(/done|failed|cancelled/)
  return state(app, id)
}

export async function state(app: TestApp['app'], id: string): Promise<ClipBody> {
  return (await app.inject(`/v1/clips/${id}`)).json<ClipBody>()
}

export async function accepted(app: TestApp['app'], video: Buffer, query = ''): Promise<ClipBody> {
  const response = await post(app, video, query)
  expect(response.statusCode, response.body).toBe(202)
  return response.json<ClipBody>()
}

export function floats(bytes: Uint8Array): Float32Array {
  return new Float32Array(new Uint8Array(bytes).buffer)
}

/** The values of `depth.npy`. */
export function depthOfNpz(npz: Uint8Array): Float32Array {
  return floats(valuesOfNpz(npz, 'depth'))
}

export function doublesOfNpz(npz: Uint8Array, name: string): Float64Array {
  return new Float64Array(new Uint8Array(valuesOfNpz(npz, name)).buffer)
}

/** The bytes of an array, without its header. */
function valuesOfNpz(npz: Uint8Array, name: string): Uint8Array {
  const npy = unzipSync(npz)[`${name}.npy`] ?? expect.fail(`no ${name}.npy`)
  const headerLength = new DataView(npy.buffer, npy.byteOffset).getUint16(8, true)
  return npy.subarray(10 + headerLength)
}
