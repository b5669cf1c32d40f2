import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { testApp } from '../../helpers/build-app.ts'
import type { TestApp } from '../../helpers/build-app.ts'
import { mp4 } from '../../helpers/clip-files.ts'
import { ended } from '../../helpers/clip-requests.ts'
import { fakeEngine, stepGate } from '../../helpers/fake-engine.ts'
import { begin, giveUp, look, partType, placeOf, send } from '../../helpers/tus-requests.ts'

let video: Buffer
beforeAll(async () => {
  video = await mp4({ frames: 2, width: 84, height: 56 })
})

const count = async (app: TestApp['app']) =>
  (await app.inject('/v1/clips')).json<{ clips: unknown[] }>().clips.length
const base64 = (text: string) => Buffer.from(text).toString('base64')

test('what is spoken is told before anything is sent', async () => {
  const { app } = await testApp({ config: { maxClipBytes: 5000 } })
  const told = await app.inject({ method: 'OPTIONS', url: '/v1/uploads' })
  expect(told.statusCode).toBe(204)
  expect(told.headers).toMatchObject({
    ...{ 'tus-resumable': '1.0.0', 'tus-version': '1.0.0', 'tus-max-size': '5000', allow: 'OPTIONS, POST' },
    'tus-extension': 'creation,creation-with-upload,expiration,termination'
  })
})

test('a video in three parts becomes a clip with its last byte, and has its id', async () => {
  const { app, config } = await testApp()
  const metadata = `filename ${base64('ö.mp4')},results ${base64('npz, png16.zip')},cacheSize ${base64('8')},name`
  const begun = await begin(app, video.length, { headers: { 'upload-metadata': metadata } })
  expect(begun.statusCode, begun.body).toBe(201)
  expect(begun.headers).toMatchObject({ 'tus-resumable': '1.0.0', 'upload-offset': '0' })
  expect(Date.parse(String(begun.headers['upload-expires']))).toBeGreaterThan(Date.now())
  const url = placeOf(begun)
  expect((await send(app, url, 0, video.subarray(0, 300))).headers['upload-offset']).toBe('300')
  expect((await send(app, url, 300, video.subarray(300, -1))).statusCode).toBe(204)
  const stands = await look(app, url)
  expect(stands.statusCode).toBe(200)
  expect(stands.headers).toMatchObject({
    ...{ 'upload-offset': String(video.length - 1), 'upload-length': String(video.length) },
    ...{ 'upload-metadata': metadata, 'cache-control': 'no-store' }
  })
  expect(await count(app)).toBe(0)
  const last = await send(app, url, video.length - 1, video.subarray(-1))
  expect(last.statusCode, last.body).toBe(204)
  const id = url.split('/').at(-1)!
  expect(last.headers).toMatchObject({
    ...{ 'upload-offset': String(video.length), location: `../clips/${id}` },
    'x-leadline-clip': `../clips/${id}`
  })
  const clip = await ended(app, id)
  expect(clip).toMatchObject({ state: 'done', cacheSize: 8, results: ['npz', 'png16.zip'] })
  expect((await look(app, url)).headers['upload-offset']).toBe(String(video.length))
  // The bytes are those of the clip now.
  expect(await readdir(path.join(config.dataDir, 'uploads', id))).toEqual(['upload.json'])
})

test('a video that comes whole with the first request is a clip by its answer', async () => {
  const { app } = await testApp()
  const begun = await begin(app, video.length, { query: '?results=npz', body: video })
  expect(begun.statusCode, begun.body).toBe(201)
  const clip = String(begun.headers['x-leadline-clip'])
  expect(begun.headers['upload-offset']).toBe(String(video.length))
  expect(await ended(app, clip.replace('clips/', ''))).toMatchObject({ state: 'done', results: ['npz'] })
})

test('the same request with an Idempotency-Key has the same upload, and with other wishes none', async () => {
  const { app } = await testApp()
  const headers = { 'idempotency-key': 'one' }
  const first = await begin(app, video.length, { headers })
  await send(app, placeOf(first), 0, video.subarray(0, 200))
  const again = await begin(app, video.length, { headers, body: video.subarray(0, 50) })
  expect(again.statusCode).toBe(201)
  expect(again.headers).toMatchObject({ location: first.headers.location, 'upload-offset': '200' })
  const other = await begin(app, video.length, { headers, query: '?results=npz' })
  expect(other.json()).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED', status: 422 })
})

test('an upload that is given up is gone, and one that became a clip leaves the clip', async () => {
  const { app, config } = await testApp()
  const url = placeOf(await begin(app, video.length))
  expect((await giveUp(app, url)).statusCode).toBe(204)
  for (const gone of [await look(app, url), await send(app, url, 0, video), await giveUp(app, url)])
    expect(gone.statusCode).toBe(404)
  expect(await readdir(path.join(config.dataDir, 'uploads'))).toEqual([])
  const whole = placeOf(await begin(app, video.length, { body: video }))
  expect((await giveUp(app, whole)).statusCode).toBe(204)
  expect((await ended(app, whole.split('/').at(-1)!)).state).toBe('done')
})

describe('is refused by name', () => {
  test.each([
    ['without a version', { 'tus-resumable': '' }, 412, 'TUS_VERSION'],
    ['in a version of tomorrow', { 'tus-resumable': '2.0.0' }, 412, 'TUS_VERSION'],
    ['without a length', { 'upload-length': '' }, 400, 'REQUEST_INVALID'],
    ['that is empty', { 'upload-length': '0' }, 400, 'REQUEST_INVALID'],
    ['that is too large', { 'upload-length': '9999999999' }, 413, 'CLIP_TOO_LARGE'],
    ['of a type that is none', { 'content-type': 'video/mp4' }, 415, 'CONTENT_TYPE_UNKNOWN'],
    [
      'with a wish that there is not',
      { 'upload-metadata': `color ${base64('red')}` },
      400,
      'REQUEST_INVALID'
    ],
    [
      'with a wish of another kind',
      { 'upload-metadata': `cacheSize ${base64('x')}` },
      400,
      'REQUEST_INVALID'
    ],
    [
      'with a camera that is told twice',
      { 'upload-metadata': `fov ${base64('60')},intrinsics ${base64('1,1,1,1')}` },
      400,
      'REQUEST_INVALID'
    ],
    ['with metadata that is none', { 'upload-metadata': 'a b c' }, 400, 'REQUEST_INVALID'],
    ['with a wish twice', { 'upload-metadata': 'model YQ==,model Yg==' }, 400, 'REQUEST_INVALID'],
    ['for a model that nobody serves', { 'upload-metadata': `model ${base64('x')}` }, 404, 'MODEL_UNKNOWN'],
    [
      'for a mode that it does not run',
      { 'upload-metadata': `cacheSize ${base64('7')}` },
      422,
      'MODEL_MODE_UNSUPPORTED'
    ],
    [
      'with a webhook and no secret',
      { 'upload-metadata': `webhook ${base64('https://a.example/')}` },
      400,
      'REQUEST_INVALID'
    ]
  ] as [string, Record<string, string>, number, string][])(
    'an upload %s',
    async (_, headers, status, code) => {
      const { app, config } = await testApp()
      const refused = await begin(app, 1000, { headers })
      expect(refused.statusCode, refused.body).toBe(status)
      expect(refused.json()).toMatchObject({ code, detail: expect.stringMatching(/\w{3}/) })
      expect(refused.headers['tus-resumable']).toBe('1.0.0')
      if (status === 412) expect(refused.headers['tus-version']).toBe('1.0.0')
      expect(await readdir(path.join(config.dataDir, 'uploads'))).toEqual([])
    }
  )

  test('a part at another place, of another type, or behind the end', async () => {
    const { app } = await testApp()
    const url = placeOf(await begin(app, 1000))
    await send(app, url, 0, Buffer.alloc(100))
    const elsewhere = await send(app, url, 50, Buffer.alloc(100))
    expect(elsewhere.json()).toMatchObject({
      ...{ status: 409, code: 'UPLOAD_OFFSET' },
      detail: expect.stringContaining('goes on at byte 100, not 50')
    })
    const typed = await send(app, url, 100, Buffer.alloc(1), { 'content-type': 'video/mp4' })
    expect(typed.json()).toMatchObject({
      status: 415,
      code: 'CONTENT_TYPE_UNKNOWN',
      detail: expect.stringContaining(partType)
    })
    const beyond = await send(app, url, 100, Buffer.alloc(901))
    expect(beyond.json()).toMatchObject({ status: 400, code: 'REQUEST_INVALID' })
    expect((await look(app, url)).headers['upload-offset']).toBe('100')
  })

  test('what is no video, with its last byte; then it is gone', async () => {
    const { app, config } = await testApp()
    const url = placeOf(await begin(app, 1000))
    const refused = await send(app, url, 0, Buffer.alloc(1000, 'x'))
    expect(refused.json()).toMatchObject({ status: 415, code: 'CLIP_INVALID' })
    expect((await look(app, url)).statusCode).toBe(404)
    for (const folder of ['uploads', 'clips'])
      expect(await readdir(path.join(config.dataDir, folder))).toEqual([])
  })
})

test('more waits than may: a new upload is refused, and one that was let in goes on', async () => {
  const gate = stepGate()
  const engine = fakeEngine({ beforeStep: gate.beforeStep })
  const { app } = await testApp({ engine, config: { maxWaitingClips: 1 } })
  gate.shut()
  const url = placeOf(await begin(app, video.length))
  for (let i = 0; i < 2; i++) expect((await begin(app, video.length, { body: video })).statusCode).toBe(201)
  expect((await begin(app, video.length)).json()).toMatchObject({ status: 503, code: 'CLIPS_BUSY' })
  expect((await send(app, url, 0, video)).statusCode).toBe(204)
  gate.open()
  expect((await ended(app, url.split('/').at(-1)!)).state).toBe('done')
})
