import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { unzipSync } from 'fflate'
import { expect, test } from 'vitest'
import { createVideoWriter } from '../../src/video/index.ts'
import type { TestApp } from '../helpers/build-app.ts'
import { testApp } from '../helpers/build-app.ts'
import { temporaryFolder } from '../helpers/clip-files.ts'
import { eventually } from '../helpers/eventually.ts'
import { frameMessage, openStream } from '../helpers/stream-client.ts'
import { blobs } from '../inference/pictures.ts'

const size = { width: 84, height: 56 }
const film = [1, 2].flatMap((seed) => new Array<Uint8Array>(8).fill(blobs(seed, size)))

test('a stream is told of a cut before the depth of the new scene, unless it wants no cuts', async () => {
  const { listen } = await testApp()
  const url = await listen()
  const play = async (config: object) => {
    const stream = await openStream(url, { delivery: 'lossless', ...config })
    const told: unknown[] = []
    for (const [seq, rgb] of film.entries()) {
      stream.send(frameMessage(seq, rgb, { codec: 'rgb24', ...size }))
      const message = await stream.next()
      if (message.type !== 'result') told.push(message, (await stream.next()).type)
    }
    return told
  }
  expect(await play({})).toEqual([{ type: 'reset', seq: 8, epoch: 2, reason: 'sceneCut' }, 'result'])
  expect(await play({ sceneCut: false })).toEqual([])
})

test('a clip with a cut comes out whole, its depth after the cut free of what was before', async () => {
  const { app } = await testApp()
  const video = await videoOf(film)
  const [cut, uncut] = [
    await depthOf(app, video, 'steadyRange=true'),
    await depthOf(app, video, 'sceneCut=false')
  ]
  const half = cut.byteLength / 2
  expect(cut.subarray(0, half)).toEqual(uncut.subarray(0, half))
  expect(cut.subarray(half)).not.toEqual(uncut.subarray(half))
})

test('a wish that is neither true nor false is refused', async () => {
  const { app } = await testApp()
  const response = await app.inject({
    method: 'POST',
    url: '/v1/clips?stabilize=maybe',
    payload: Buffer.of(1)
  })
  expect(response.statusCode).toBe(400)
  expect(response.json()).toMatchObject({
    code: 'REQUEST_INVALID',
    detail: expect.stringContaining('stabilize')
  })
})

async function videoOf(frames: readonly Uint8Array[]): Promise<Buffer> {
  const file = path.join(await temporaryFolder(), 'film.mp4')
  const writer = await createVideoWriter(file, { ...size, fps: 25 })
  for (const rgb of frames) await writer.write(rgb)
  await writer.close()
  return readFile(file)
}

/** The values of `depth.npy`. */
async function depthOf(app: TestApp['app'], video: Buffer, wishes: string): Promise<Uint8Array> {
  const url = `/v1/clips?results=npz&results=depth.mp4&${wishes}`
  const headers = { 'content-type': 'video/mp4' }
  const { id } = (await app.inject({ method: 'POST', url, payload: video, headers })).json<{ id: string }>()
  const state = async () => (await app.inject(`/v1/clips/${id}`)).json<{ state: string }>().state
  await eventually(state).toMatch(/done|failed/)
  const { rawPayload, statusCode } = await app.inject(`/v1/clips/${id}/results/npz`)
  expect(statusCode).toBe(200)
  const npy = unzipSync(rawPayload)['depth.npy'] ?? expect.fail('no depth.npy')
  return npy.subarray(10 + new DataView(npy.buffer, npy.byteOffset).getUint16(8, true))
}
