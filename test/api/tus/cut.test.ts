import { createHash } from 'node:crypto'
import http from 'node:http'
import { pino } from 'pino'
import { Upload } from 'tus-js-client'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { Access } from '../../../src/access/index.ts'
import { buildApp } from '../../../src/api/index.ts'
import { redisWorker } from '../../../src/sessions/index.ts'
import { testApp } from '../../helpers/build-app.ts'
import { temporaryFolder } from '../../helpers/clip-files.ts'
import { ended, post } from '../../helpers/clip-requests.ts'
import { eventually } from '../../helpers/eventually.ts'
import { fakeEngine, testModel } from '../../helpers/fake-engine.ts'
import { largeClip } from '../../helpers/large-clip.ts'
import type { LinkProxy } from '../../helpers/link-proxy.ts'
import { startLinkProxy } from '../../helpers/link-proxy.ts'
import { quietLog } from '../../helpers/quiet-log.ts'
import { redisConfig, startGateway } from '../../helpers/redis-service.ts'
import type { RedisServer } from '../../helpers/redis.ts'
import { startRedis } from '../../helpers/redis.ts'
import { begin, look, partType, placeOf } from '../../helpers/tus-requests.ts'

let redis: RedisServer
let video: Buffer
beforeAll(async () => {
  redis = await startRedis()
  video = await largeClip(3_000_000)
})
afterAll(() => redis.stop())

type App = Awaited<ReturnType<typeof buildApp>>

/** Gateways, any of which may be asked. */
const modes: [string, () => Promise<{ app: App; port: number }[]>][] = [
  ['in one process', async () => [await listening((await testApp()).app)]],
  ['over Redis and one folder', overRedis]
]

async function overRedis() {
  const dataDir = await temporaryFolder()
  const config = { ...redisConfig(redis.url), port: 0, dataDir, defaultModel: testModel }
  const worker = await redisWorker(config, fakeEngine(), { log: quietLog() })
  onTestFinished(() => worker.close())
  return Promise.all(
    [0, 1].map(async () => {
      const [access, log] = [new Access(null), pino({ level: 'silent' })]
      const app = await buildApp({ access, config, sessions: await startGateway(config), log })
      onTestFinished(() => app.close())
      return listening(app)
    })
  )
}

async function listening(app: App) {
  return { app, port: Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port) }
}

/** Through a proxy, which goes to the next gateway whenever it cuts. */
async function cuttable(port: number): Promise<LinkProxy & { url: string }> {
  const proxy = await startLinkProxy(port)
  onTestFinished(() => proxy.stop())
  return Object.assign(proxy, { url: `http://127.0.0.1:${proxy.port}` })
}

/** A part that comes in pieces, as they are given, and the status of its answer. */
function part(port: number, id: string, { offset, length }: { offset: number; length: number }) {
  const headers = {
    ...{ 'tus-resumable': '1.0.0', 'upload-offset': String(offset), 'content-type': partType },
    'content-length': String(length)
  }
  const path = `/v1/uploads/${id}`
  const request = http.request({ ...{ host: '127.0.0.1', port, method: 'PATCH' }, path, headers })
  onTestFinished(() => void request.destroy())
  const status = new Promise<number | undefined>((resolve, reject) => {
    request.on('response', (response) => resolve(response.resume().statusCode)).on('error', reject)
  })
  return { send: (bytes: Uint8Array) => void request.write(bytes), status }
}

test('what a request that hangs at one gateway still sends does not get into what another goes on with', async () => {
  const [first, second] = (await overRedis()) as [{ app: App; port: number }, { app: App; port: number }]
  const begun = await begin(first.app, video.length, { query: '?results=npz' })
  const id = placeOf(begun).slice('/v1/uploads/'.length)
  const offset = async () => Number((await look(second.app, `/v1/uploads/${id}`)).headers['upload-offset'])
  // In the middle of what is read of the video.
  const at = 1500
  const hanging = part(first.port, id, { offset: 0, length: video.length })
  hanging.send(video.subarray(0, at))
  await eventually(offset).toBe(at)
  const next = part(second.port, id, { offset: at, length: video.length - at })
  next.send(video.subarray(at, at + 500))
  await eventually(offset).toBe(at + 500)
  hanging.send(Buffer.alloc(video.length - at, 0x5a))
  expect(await hanging.status).toBe(423)
  expect(await offset()).toBe(at + 500)
  next.send(video.subarray(at + 500))
  expect(await next.status).toBe(204)
  const whole = await post(first.app, video, '?results=npz')
  const result = async (clip: string) => {
    expect(await ended(first.app, clip)).toMatchObject({ state: 'done' })
    return (await first.app.inject(`/v1/clips/${clip}/results/npz`)).rawPayload
  }
  expect(await result(id)).toEqual(await result(whole.json<{ id: string }>().id))
})

describe.each(modes)('%s', (_, start) => {
  test('a client of tus that is cut again and again sends each byte about once, and has its clip', async () => {
    const gateways = await start()
    const proxies = await Promise.all(gateways.map(({ port }) => cuttable(port)))
    const offsets: number[] = []
    let cuts = 0
    proxies[0]!.cutAfter(400_000)
    await new Promise<void>((resolve, reject) => {
      const upload: Upload = new Upload(video, {
        endpoint: `${proxies[0]!.url}/v1/uploads`,
        metadata: { filename: 'walk.mp4', filetype: 'video/mp4', results: 'npz' },
        retryDelays: Array.from({ length: 500 }, () => 5),
        onAfterResponse: (request, response) => {
          if (request.getMethod() === 'HEAD') offsets.push(Number(response.getHeader('Upload-Offset')))
        },
        onShouldRetry: () => {
          // Each time at another gateway, and cut again there.
          const next = proxies[++cuts % proxies.length]!
          if ((offsets.at(-1) ?? 0) < 1_000_000) next.cutAfter(400_000)
          if (upload.url !== null) upload.url = next.url + new URL(upload.url).pathname
          return true
        },
        onSuccess: () => resolve(),
        onError: reject
      })
      upload.start()
    })
    expect(cuts).toBeGreaterThan(2)
    expect(offsets).toEqual(offsets.toSorted((a, b) => a - b))
    expect(offsets.at(-1)).toBeGreaterThan(1_000_000)
    const { app } = gateways[0]!
    const list = (await app.inject('/v1/clips')).json<{ clips: { id: string }[] }>()
    expect(list.clips).toHaveLength(1)
    const clip = await ended(app, list.clips[0]!.id)
    expect(clip).toMatchObject({ state: 'done', progress: { frames: 2 }, results: ['npz'] })
    const result = async (id: string) =>
      createHash('sha256')
        .update((await app.inject(`/v1/clips/${id}/results/npz`)).rawPayload)
        .digest('hex')
    const whole = await app.inject({
      ...{ method: 'POST', url: '/v1/clips?results=npz', payload: video },
      headers: { 'content-type': 'video/mp4' }
    })
    const { id } = whole.json<{ id: string }>()
    await ended(app, id)
    expect(await result(clip.id)).toBe(await result(id))
  })
})
