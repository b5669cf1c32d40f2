import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { unzipSync } from 'fflate'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { identity } from '../../src/maps/affine-map.ts'
import { depthValues } from '../../src/client/index.ts'
import { decodeMessage, encodeMessage } from '../../src/wire/frame.ts'
import { frameOfPixels } from '../../src/wire/own-frame.ts'
import { guideOfRgb } from '../../src/maps/guide.ts'
import { guidedRows } from '../../src/maps/guided-rows.ts'
import type { VideoFrame } from '../../src/video/index.ts'
import { probeVideo, readVideo } from '../../src/video/index.ts'
import type { TestApp } from '../helpers/build-app.ts'
import { startTestApp } from '../helpers/build-app.ts'
import { mp4, temporaryFolder } from '../helpers/clip-files.ts'
import { accepted, depthOfNpz, ended } from '../helpers/clip-requests.ts'
import { connect, openStream } from '../helpers/stream-client.ts'

const source = { width: 168, height: 112 }
/** Of a source of that size. */
const network = { width: 42, height: 28 }
let gateway: TestApp & { close: () => Promise<void> }
let url: string
beforeAll(async () => {
  gateway = await startTestApp()
  url = await gateway.listen()
})
afterAll(() => gateway.close())

/** Dark left of a line, bright right of it. */
const pixels = new Uint8Array(source.width * source.height * 3).map((_, i) =>
  Math.floor(i / 3) % source.width < 83 ? 40 : 210
)

function refined(depth: Float32Array, rgb: Uint8Array): Float32Array {
  const out = new Float32Array(source.width * source.height)
  guidedRows(depth, network, guideOfRgb(rgb, source), identity)(0, source.height, out)
  return out
}

function furthest(found: ArrayLike<number>, wanted: ArrayLike<number>): number {
  expect(found.length).toBe(wanted.length)
  return Array.from(found).reduce((worst, value, i) => Math.max(worst, Math.abs(value - wanted[i]!)), 0)
}

describe('a stream', () => {
  const depthFor = async (output: object) => {
    const stream = await openStream(url, { mode: 'single', output: { format: 'f32', ...output } })
    const frame = frameOfPixels(1, { rgb: pixels, ...source, timestampUs: 0 })
    stream.send(encodeMessage(frame.header, frame.payload))
    const result = await stream.expect('result')
    stream.ws.close()
    return result
  }

  test('that asks for it has depth with the edges of the frame, as large as that', async () => {
    const { header, payload } = await depthFor({ size: 'source', refine: true })
    expect(header).toMatchObject(source)
    const wanted = refined(depthValues(await depthFor({})), pixels)
    expect(furthest(depthValues({ header, payload }), wanted)).toBeLessThan(1e-6)
  })

  test.each([{ refine: true }, { refine: true, size: 'network' }])(
    'of network size cannot be refined, and says what to set: %o',
    async (output) => {
      const client = await connect(url)
      client.send({ type: 'config', output })
      expect(await client.expect('error')).toMatchObject({
        code: 'CONFIG_INVALID',
        detail: expect.stringMatching(/refine is true and size is "network".*set size to "source"/)
      })
      expect(await client.closed).toEqual({ code: 4522, reason: 'CONFIG_INVALID' })
    }
  )
})

describe('an image', () => {
  const post = async (query: string) => {
    const payload = await sharp(pixels, { raw: { ...source, channels: 3 } })
      .png()
      .toBuffer()
    return gateway.app.inject({ method: 'POST', url: `/v1/depth${query}`, payload })
  }

  test('is refined when asked, at its own size without being told so', async () => {
    const plain = decodeMessage((await post('?format=f32&size=network')).rawPayload)
    const { header, payload } = decodeMessage((await post('?format=f32&refine=true')).rawPayload)
    expect(header).toMatchObject(source)
    expect(furthest(depthValues({ header, payload }), refined(depthValues(plain), pixels))).toBeLessThan(1e-6)
    const png = await post('?refine=true')
    expect(await sharp(png.rawPayload).metadata()).toMatchObject({ ...source, depth: 'ushort' })
  })

  test('of network size is refused, with what to ask for instead', async () => {
    const response = await post('?refine=true&size=network')
    expect(response.statusCode).toBe(400)
    expect(response.json()).toMatchObject({
      code: 'REQUEST_INVALID',
      detail: expect.stringMatching(/size is "network".*set size to "source"/)
    })
  })
})

describe('a clip', () => {
  const files = async (video: Buffer, query: string) => {
    const { id } = await accepted(gateway.app, video, query)
    const done = await ended(gateway.app, id)
    expect(done).toMatchObject({ state: 'done' })
    const entries = Object.entries(done.links.results).map(async ([name, link]) => {
      const { rawPayload } = await gateway.app.inject(`/v1/clips/${link}`)
      return [name, rawPayload] as const
    })
    return { done, results: Object.fromEntries(await Promise.all(entries)) }
  }

  test.each(['online', 'offline', 'single'])('run %s is refined along each of its frames', async (mode) => {
    const video = await mp4({ frames: 6, ...source })
    const file = path.join(await temporaryFolder(), 'clip.mp4')
    await writeFile(file, video)
    const frames: VideoFrame[] = []
    for await (const frame of readVideo(file)) frames.push(frame)

    const plain = depthOfNpz((await files(video, `?mode=${mode}&results=npz`)).results['npz']!)
    const { done, results } = await files(
      video,
      `?mode=${mode}&refine=true&results=npz,png16.zip,depth.mp4,side-by-side.mp4`
    )
    expect(done).toMatchObject({ refine: true })
    const values = depthOfNpz(results['npz']!)
    const [small, large] = [network.width * network.height, source.width * source.height]
    for (const [i, frame] of frames.entries()) {
      const wanted = refined(plain.slice(i * small, (i + 1) * small), frame.rgb)
      expect(furthest(values.subarray(i * large, (i + 1) * large), wanted), `frame ${i}`).toBeLessThan(1e-6)
    }

    const zip = unzipSync(results['png16.zip']!)
    const {
      scale: [scale],
      offset: [offset]
    } = JSON.parse(Buffer.from(zip['scale.json']!).toString()) as Record<'scale' | 'offset', number[]>
    const png = sharp(zip['000003.png']!).toColourspace('grey16').raw({ depth: 'ushort' })
    const { data, info } = await png.toBuffer({ resolveWithObject: true })
    expect(info).toMatchObject(source)
    const stored = Array.from(new Uint16Array(new Uint8Array(data).buffer), (v) => v * scale! + offset!)
    expect(furthest(stored, values.subarray(3 * large, 4 * large))).toBeLessThan(scale!)

    for (const [name, width] of [
      ['depth.mp4', source.width],
      ['side-by-side.mp4', 2 * source.width]
    ] as const) {
      await writeFile(file, results[name]!)
      expect(await probeVideo(file)).toMatchObject({ width, height: source.height, frameCount: 6 })
    }
  })

  test('that does not ask is as the network gave it', async () => {
    const { done, results } = await files(await mp4({ frames: 2, ...source }), '?results=npz')
    expect(done).toMatchObject({ refine: false })
    expect(depthOfNpz(results['npz']!)).toHaveLength(2 * network.width * network.height)
  })
})
