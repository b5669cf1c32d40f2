import { readFile, readdir, rm, writeFile } from 'node:fs/promises'
import http from 'node:http'
import path from 'node:path'
import { unzipSync } from 'fflate'
import sharp from 'sharp'
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { probeVideo, readVideo } from '../../src/video/index.ts'
import { testApp } from '../helpers/build-app.ts'
import type { ClipShape } from '../helpers/clip-files.ts'
import { mp4, temporaryFolder } from '../helpers/clip-files.ts'
import { accepted, depthOfNpz, ended, floats, post, state } from '../helpers/clip-requests.ts'
import type { ClipBody } from '../helpers/clip-requests.ts'
import { eventually } from '../helpers/eventually.ts'
import { fakeEngine, stepGate } from '../helpers/fake-engine.ts'
import { frameMessage, openStream } from '../helpers/stream-client.ts'

const shape: ClipShape = { frames: 12, width: 84, height: 56 }
let video: Buffer
let short: Buffer
beforeAll(async () => {
  video = await mp4(shape)
  short = await mp4({ ...shape, frames: 2 })
})

test('a clip becomes every result that was asked for, and its numbers are those of a stream', async () => {
  const { app, listen, config } = await testApp()
  const url = await listen()
  const clip = await accepted(
    app,
    video,
    '?results=npz&results=png16.zip&results=depth.mp4&results=side-by-side.mp4'
  )
  expect(clip).toMatchObject({ state: 'queued', links: { self: `clips/${clip.id}`, results: {} } })
  const done = await ended(app, clip.id)
  expect(done).toMatchObject({ state: 'done', failure: null, progress: { frames: 12, frameCount: 12 } })
  const fetched = async (name: string) =>
    (await app.inject(`/v1/clips/${done.links.results[name]}`)).rawPayload

  const source = path.join(await temporaryFolder(), 'source.mp4')
  await writeFile(source, video)
  const client = await openStream(url, { delivery: 'lossless', output: { format: 'f32' } })
  const streamed: number[] = []
  let seq = 0
  for await (const { rgb, width, height } of readVideo(source)) {
    client.send(frameMessage(seq++, rgb, { width, height }))
    streamed.push(...floats((await client.expect('result')).payload))
  }
  const depth = depthOfNpz(await fetched('npz'))
  expect(depth).toEqual(Float32Array.from(streamed))

  const pngs = unzipSync(await fetched('png16.zip'))
  const {
    scale: scales,
    offset: offsets,
    quantity
  } = JSON.parse(Buffer.from(pngs['scale.json'] ?? []).toString()) as {
    scale: number[]
    offset: number[]
    quantity: string
  }
  const [scale = NaN, offset = NaN] = [scales[11], offsets[11]]
  expect(quantity).toBe('relative-inverse-depth')
  expect(Object.keys(pngs)).toHaveLength(13)
  const { data } = await sharp(pngs['000011.png']).toColourspace('grey16').raw({ depth: 'ushort' }).toBuffer({
    resolveWithObject: true
  })
  const last = depth.slice(-42 * 28)
  const restored = Array.from(new Uint16Array(new Uint8Array(data).buffer), (v) => v * scale + offset)
  expect(Math.max(...restored.map((value, i) => Math.abs(value - (last[i] ?? NaN))))).toBeLessThan(
    scale * 0.51
  )

  for (const [name, width] of [
    ['depth.mp4', 84],
    ['side-by-side.mp4', 168]
  ] as const) {
    const file = path.join(await temporaryFolder(), name)
    await writeFile(file, await fetched(name))
    expect(await probeVideo(file)).toEqual({ width, height: 56, fps: 25, frameCount: 12 })
  }
  const files = async () => (await readdir(path.join(config.dataDir, 'clips', clip.id))).toSorted()
  await eventually(files).toEqual([
    '.leadline-clip',
    'clip.json',
    'depth.mp4',
    'depth.npz',
    'depth.png16.zip',
    'side-by-side.mp4'
  ])
})

test('a clip may come as a form, with its fields before or after the video', async () => {
  const { app, listen } = await testApp()
  const url = await listen()
  const form = new FormData()
  form.set('cacheSize', '8')
  form.set('video', new Blob([new Uint8Array(short)]), 'holiday.mp4')
  form.append('results', 'npz')
  const response = await fetch(`${url}/v1/clips`, { method: 'POST', body: form })
  expect(response.status).toBe(202)
  const clip = (await response.json()) as ClipBody
  expect(response.headers.get('location')).toBe(clip.links.self)
  expect(clip).toMatchObject({ cacheSize: 8, results: ['npz'] })
  expect((await ended(app, clip.id)).links.results).toEqual({ npz: `${clip.id}/results/npz` })
})

test.each([
  ['colour', 'red', /form has no parameter "colour"/],
  ['cacheSize', 'eight', /"cacheSize" in the form must be integer/],
  ['results', 'exr', /"results\/0" in the form must be one of depth.mp4, side-by-side.mp4, .*npz, png16.zip/],
  ['intrinsics', '500,500,320', /"intrinsics" in the form must NOT have fewer than 4 items/],
  ['intrinsics', '0,500,320,240', /fx and fy are 0 and 500, and must be above 0/]
])('a form field %s=%s is refused', async (name, value, detail) => {
  const { listen, config } = await testApp()
  const form = new FormData()
  form.set(name, value)
  form.set('video', new Blob([new Uint8Array(short)]), 'a.mp4')
  const response = await fetch(`${await listen()}/v1/clips`, { method: 'POST', body: form })
  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({
    code: 'REQUEST_INVALID',
    detail: expect.stringMatching(detail)
  })
  expect(await readdir(path.join(config.dataDir, 'clips'))).toEqual([])
})

test('what is no video is refused at the door and leaves nothing behind', async () => {
  const { app, config } = await testApp()
  for (const [body, detail] of [
    [Buffer.from('this is a text\n'.repeat(1000)), /^clip is not a video/],
    [await readFile(import.meta.filename), /^clip is not a video/],
    [Buffer.alloc(0), /empty/]
  ] as const) {
    const response = await post(app, body)
    expect(response.statusCode).toBe(415)
    expect(response.json()).toMatchObject({ code: 'CLIP_INVALID', detail: expect.stringMatching(detail) })
  }
  expect(await readdir(path.join(config.dataDir, 'clips'))).toEqual([])
  await accepted(app, short)
})

test('a clip that is cut in half has the frames that are in it, and a warning', async () => {
  const { app } = await testApp()
  const video = await mp4({ ...shape, frames: 60 })
  const cut = await accepted(app, video.subarray(0, Math.floor(video.length * 0.6)), '?results=npz')
  const done = await ended(app, cut.id)
  const { frames } = done.progress
  expect(done).toMatchObject({ state: 'done', failure: null, progress: { frameCount: frames } })
  expect(frames).toBeGreaterThan(0)
  expect(frames).toBeLessThan(60)
  expect(done.warnings.at(-1)?.detail).toContain(`${frames} of 60 frames could be read`)
  expect(depthOfNpz((await app.inject(`/v1/clips/${cut.id}/results/npz`)).rawPayload)).toHaveLength(
    frames * 42 * 28
  )
})

test('a clip beyond the limit is refused while it comes', async () => {
  const { app, config } = await testApp({ config: { maxClipBytes: Math.max(1024, video.length - 1) } })
  const response = await post(app, Buffer.concat([video, Buffer.alloc(1024)]))
  expect(response.statusCode).toBe(413)
  expect(response.json()).toMatchObject({ code: 'CLIP_TOO_LARGE' })
  expect(await readdir(path.join(config.dataDir, 'clips'))).toEqual([])
})

test('a client that hangs up in the middle of its upload leaves nothing behind', async () => {
  const { listen, config, logged } = await testApp()
  const request = http.request(`${await listen()}/v1/clips`, { method: 'POST' })
  request.on('error', () => undefined)
  request.write(video)
  const folder = path.join(config.dataDir, 'clips')
  await eventually(() => readdir(folder).catch(() => [])).toHaveLength(1)
  request.destroy()
  await eventually(() => readdir(folder)).toEqual([])
  expect(logged.filter(({ level }) => Number(level) >= 50)).toEqual([])
})

test('a clip with frames beyond the limit, or for a model that nobody serves, is refused', async () => {
  const { app } = await testApp({ config: { maxPixels: 100 } })
  expect((await post(app, video)).json()).toMatchObject({ code: 'FRAME_TOO_LARGE' })
  const other = await testApp()
  const unknown = await post(other.app, video, '?model=gigantic')
  expect(unknown.statusCode).toBe(404)
  expect(unknown.json()).toMatchObject({ code: 'MODEL_UNKNOWN' })
})

test('a result of a clip that still runs is not there yet', async () => {
  const gate = stepGate()
  const { app } = await testApp({ engine: fakeEngine({ beforeStep: gate.beforeStep }) })
  gate.shut()
  const { id } = await accepted(app, short, '?results=npz')
  const early = await app.inject(`/v1/clips/${id}/results/npz`)
  expect(early.statusCode).toBe(409)
  expect(early.json()).toMatchObject({ code: 'CLIP_NOT_READY', temporary: true })
  gate.open()
})

test('when too many clips wait, the next is told to come back before its upload', async () => {
  const gate = stepGate()
  const engine = fakeEngine({ beforeStep: gate.beforeStep })
  const { app } = await testApp({ engine, config: { maxWaitingClips: 1 } })
  gate.shut()
  await accepted(app, short)
  await accepted(app, short)
  const busy = await post(app, short)
  gate.open()
  expect(busy.statusCode).toBe(503)
  const { retryAfterMs } = busy.json<{ retryAfterMs: number }>()
  expect(busy.headers['retry-after']).toBe(String(Math.ceil(retryAfterMs / 1000)))
  expect(busy.json()).toMatchObject({ code: 'CLIPS_BUSY', temporary: true })
})

test('deleting a running clip stops it, frees its session and leaves nothing', async () => {
  const gate = stepGate()
  const engine = fakeEngine({ beforeStep: gate.beforeStep })
  const { app, config } = await testApp({ engine })
  gate.shut()
  const { id } = await accepted(app, video)
  await eventually(() => engine.reservedBytes).toBeGreaterThan(0)
  const deleting = app.inject({ method: 'DELETE', url: `/v1/clips/${id}` })
  gate.open()
  expect((await deleting).statusCode).toBe(204)
  expect(engine.reservedBytes).toBe(0)
  expect(await readdir(path.join(config.dataDir, 'clips'))).toEqual([])
  expect((await app.inject(`/v1/clips/${id}`)).json()).toMatchObject({ code: 'CLIP_UNKNOWN' })
})

test('an offline clip has depth for every frame, though its last window is not full', async () => {
  const { app } = await testApp()
  const clip = await mp4({ ...shape, frames: 40 })
  const depthIn = async (mode: string): Promise<Float32Array> => {
    const { id } = await accepted(app, clip, `?mode=${mode}&results=npz`)
    const done = await ended(app, id)
    expect(done).toMatchObject({ state: 'done', progress: { frames: 40 } })
    return depthOfNpz((await app.inject(`/v1/clips/${done.links.results.npz}`)).rawPayload)
  }
  const [offline, online] = [await depthIn('offline'), await depthIn('online')]
  expect(offline).toHaveLength(40 * 42 * 28)
  expect(offline).not.toEqual(online)
  expect(await depthIn('vda-window')).toEqual(offline)
  expect(await depthIn('ovda')).toEqual(online)
})

test('a mode that the model does not have is refused at the door', async () => {
  const { app, config } = await testApp()
  const response = await post(app, short, '?mode=vda-stream')
  expect(response.statusCode).toBe(422)
  expect(response.json()).toMatchObject({ code: 'MODEL_MODE_UNSUPPORTED' })
  expect(response.json<ClipBody>().detail).toContain('ovda, vda-window, single')
  expect(await readdir(path.join(config.dataDir, 'clips'))).toEqual([])
})

test('a clip waits for a place while every worker is full', async () => {
  const { sessionBytes } = fakeEngine().offer.models[0] ?? expect.fail('no model')
  const { app, listen } = await testApp({ engine: fakeEngine({ capacityBytes: sessionBytes.ovda ?? 0 }) })
  const live = await openStream(await listen())
  const { id } = await accepted(app, short, '?results=npz')
  await eventually(async () => (await state(app, id)).state).toBe('running')
  live.send({ type: 'close' })
  await live.closed
  expect((await ended(app, id)).state).toBe('done')
})

test('finished clips survive a restart, the running one goes on, and the waiting one runs', async () => {
  const gate = stepGate()
  const before = await testApp({ engine: fakeEngine({ beforeStep: gate.beforeStep }) })
  const finished = await accepted(before.app, video, '?results=npz')
  await ended(before.app, finished.id)
  gate.shut()
  const running = await accepted(before.app, video, '?results=npz')
  await eventually(async () => (await state(before.app, running.id)).state).toBe('running')
  const waiting = await accepted(before.app, video, '?results=npz')
  const closing = before.app.close()
  gate.open()
  await closing

  const after = await testApp({ config: { dataDir: before.config.dataDir } })
  expect((await after.app.inject(`/v1/clips/${finished.id}/results/npz`)).statusCode).toBe(200)
  expect((await ended(after.app, running.id)).state).toBe('done')
  expect((await ended(after.app, waiting.id)).state).toBe('done')
  const depthOf = async (id: string) =>
    (await after.app.inject(`/v1/clips/${id}/results/npz`)).rawPayload.toString('base64')
  expect(await depthOf(running.id)).toBe(await depthOf(finished.id))
})

test('without ffmpeg the client is told what to install', async () => {
  const { app } = await testApp()
  vi.stubEnv('PATH', '/nowhere')
  onTestFinished(() => void vi.unstubAllEnvs())
  const response = await post(app, video)
  expect(response.statusCode).toBe(501)
  expect(response.json()).toMatchObject({
    code: 'TOOL_MISSING',
    detail: expect.stringContaining('apt-get install ffmpeg')
  })
})

test.each([
  ['GET', '/v1/clips/00000000-0000-4000-8000-000000000000', 404, 'CLIP_UNKNOWN'],
  ['DELETE', '/v1/clips/00000000-0000-4000-8000-000000000000', 404, 'CLIP_UNKNOWN'],
  ['GET', '/v1/clips/..%2F..%2Fetc', 400, 'REQUEST_INVALID'],
  ['GET', '/v1/clips/00000000-0000-4000-8000-000000000000/results/passwd', 400, 'REQUEST_INVALID']
] as const)('%s %s is refused', async (method, url, status, code) => {
  const { app } = await testApp()
  const response = await app.inject({ method, url })
  expect(response.statusCode).toBe(status)
  expect(response.json()).toMatchObject({ code })
})

test('a second gateway on the same folder is refused, and the clip of the first goes on', async () => {
  const gate = stepGate()
  const first = await testApp({ engine: fakeEngine({ beforeStep: gate.beforeStep }) })
  gate.shut()
  const { id } = await accepted(first.app, short, '?results=npz')
  await eventually(async () => (await state(first.app, id)).state).toBe('running')
  const { dataDir } = first.config
  await expect(testApp({ config: { dataDir } })).rejects.toThrow(`${dataDir} is in use by process`)
  gate.open()
  expect((await ended(first.app, id)).state).toBe('done')
})

test('a folder that is gone fails the clip by name, and the log alone has its path', async () => {
  const { app, config, logged } = await testApp()
  await rm(path.join(config.dataDir, 'clips'), { recursive: true })
  const response = await post(app, short)
  expect(response.statusCode).toBe(503)
  const { code, detail = '' } = response.json<ClipBody>()
  expect(code).toBe('STORAGE_UNUSABLE')
  expect(detail).toMatch(/it is not there \(ENOENT\); .* set LEADLINE_DATA_DIR/)
  expect(detail).not.toContain(config.dataDir)
  expect(JSON.stringify(logged.find(({ msg }) => String(msg).includes('folder for clips')))).toContain(
    config.dataDir
  )
})
