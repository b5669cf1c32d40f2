import { readFileSync } from 'node:fs'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decodeMessage } from '../../src/wire/frame.ts'
import type { TestApp } from '../helpers/build-app.ts'
import { startTestApp, testApp } from '../helpers/build-app.ts'
import { eventually } from '../helpers/eventually.ts'
import { fakeEngine, stepGate } from '../helpers/fake-engine.ts'

/** Network size of the 112x84 test image. */
const network = { width: 42, height: 28 }
let gateway: TestApp & { close: () => Promise<void> }
let image: Buffer
let png: Buffer

beforeAll(async () => {
  gateway = await startTestApp()
  image = await sharp({ create: { width: 112, height: 84, channels: 3, background: '#4080c0' } })
    .jpeg()
    .toBuffer()
  png = await sharp(image).png().toBuffer()
})
afterAll(() => gateway.close())

const post = (url: string, payload: Buffer, contentType = 'image/jpeg') =>
  gateway.app.inject({ method: 'POST', url, payload, headers: { 'content-type': contentType } })

test('by default the depth is a 16-bit grey PNG as large as the image, with its scale in the headers', async () => {
  const response = await post('/v1/depth', image)
  expect(response.statusCode).toBe(200)
  expect(response.headers['content-type']).toBe('image/png')
  const { data, info } = await sharp(response.rawPayload)
    .toColourspace('grey16')
    .raw({ depth: 'ushort' })
    .toBuffer({
      resolveWithObject: true
    })
  expect(info).toMatchObject({ width: 112, height: 84, channels: 1 })
  const { headers } = response
  expect(headers).toMatchObject({
    'x-leadline-model': 'tiny',
    'x-leadline-quantity': 'relative-inverse-depth',
    'server-timing': expect.stringMatching(/^queue;dur=[\d.]+, compute;dur=[\d.]+$/)
  })
  const [min, max] = String(headers['x-leadline-range']).split(' ').map(Number)
  const stored = new Uint16Array(new Uint8Array(data).buffer)
  const values = Array.from(
    stored,
    (v) => v * Number(headers['x-leadline-scale']) + Number(headers['x-leadline-offset'])
  )
  expect(Math.min(...values)).toBeCloseTo(min ?? NaN, 2)
  expect(Math.max(...values)).toBeCloseTo(max ?? NaN, 2)
})

test.each(['jpeg', 'webp'])('%s gives colours for people', async (format) => {
  const response = await post(`/v1/depth?format=${format}&colormap=inferno`, image)
  expect(response.headers['content-type']).toBe(`image/${format}`)
  expect(await sharp(response.rawPayload).metadata()).toMatchObject({
    format,
    width: 112,
    height: 84,
    channels: 3
  })
})

test.each([
  ['u16', 2],
  ['f16', 2],
  ['f32', 4]
] as const)('%s gives the same binary message as a stream', async (format, bytes) => {
  const response = await post(`/v1/depth?format=${format}&size=network`, image)
  expect(response.headers['content-type']).toBe('application/octet-stream')
  const { header, payload } = decodeMessage(response.rawPayload)
  expect(header).toMatchObject({ codec: 'raw', dtype: format, ...network })
  expect(payload.byteLength).toBe(network.width * network.height * bytes)
})

test('an image may come in a form, and with any content type', async () => {
  const url = await gateway.listen()
  const form = new FormData()
  form.set('image', new Blob([new Uint8Array(image)]), 'photo.jpg')
  const answers = await Promise.all([
    fetch(`${url}/v1/depth`, { method: 'POST', body: form }),
    post('/v1/depth', image, 'application/x-www-form-urlencoded'),
    post('/v1/depth', image, 'application/json')
  ])
  const bodies = [Buffer.from(await answers[0].arrayBuffer()), answers[1].rawPayload, answers[2].rawPayload]
  expect(bodies.map((body) => body.equals((bodies[0] ?? expect.fail()) as Buffer))).toEqual([
    true,
    true,
    true
  ])
})

test('images do not influence each other', async () => {
  const first = await post('/v1/depth', image)
  await post('/v1/depth', await sharp(image).negate().jpeg().toBuffer())
  expect((await post('/v1/depth', image)).rawPayload.equals(first.rawPayload)).toBe(true)
})

test.each(['webp', 'avif', 'tiff', 'gif'] as const)('a %s is read as a JPEG is', async (format) => {
  const response = await post('/v1/depth', await sharp(image).toFormat(format).toBuffer())
  expect(response.statusCode, response.body).toBe(200)
})

describe('what is no image', () => {
  test.each([
    ['text', () => Buffer.from('hello'), 415, 'IMAGE_INVALID', /0x68656c6c6f/],
    ['nothing', () => Buffer.alloc(0), 415, 'IMAGE_INVALID', /empty/],
    ['a HEIC', () => Buffer.from('\0\0\0\u0010ftypheic\0\0\0\0'), 415, 'IMAGE_INVALID', /JPEG or AVIF/],
    [
      'half a JPEG',
      () => image.subarray(0, image.length / 2),
      422,
      'FRAME_DECODE_FAILED',
      /^The image as jpeg: /
    ],
    [
      'the head of a PNG',
      () => png.subarray(0, 30),
      422,
      'FRAME_DECODE_FAILED',
      /png: its header is damaged$/
    ],
    [
      'a source file',
      () => readFileSync(import.meta.filename),
      415,
      'IMAGE_INVALID',
      /JPEG, PNG, WebP, AVIF, TIFF or GIF/
    ]
  ] as const)('%s is refused with what it is', async (_, body, status, code, detail) => {
    const response = await post('/v1/depth', body())
    expect(response.statusCode).toBe(status)
    expect(response.json()).toMatchObject({ code, detail: expect.stringMatching(detail) })
    expect((await post('/v1/depth', image)).statusCode).toBe(200)
  })

  test('a form without the field is told its name', async () => {
    const form = new FormData()
    form.set('picture', new Blob([new Uint8Array(image)]), 'photo.jpg')
    const response = await fetch(`${await testApp().then(({ listen }) => listen())}/v1/depth`, {
      method: 'POST',
      body: form
    })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({
      code: 'REQUEST_INVALID',
      detail: expect.stringMatching(/picture.*image/)
    })
  })
})

test('an image beyond the limits is refused as too large', async () => {
  const { app } = await testApp({
    config: { maxFrameBytes: image.length - 1 },
    engine: fakeEngine({ maxPixels: 100 })
  })
  const large = await app.inject({ method: 'POST', url: '/v1/depth', payload: image })
  expect(large.statusCode).toBe(413)
  expect(large.json()).toMatchObject({ code: 'FRAME_TOO_LARGE' })
  const tiny = await sharp({ create: { width: 40, height: 40, channels: 3, background: 'red' } })
    .png()
    .toBuffer()
  const wide = await app.inject({ method: 'POST', url: '/v1/depth', payload: tiny })
  expect(wide.statusCode).toBe(413)
  expect(wide.json()).toMatchObject({ code: 'FRAME_TOO_LARGE', detail: expect.stringContaining('40x40') })
})

test('a model that nobody serves is named beside those that are', async () => {
  const response = await post('/v1/depth?model=gigantic', image)
  expect(response.statusCode).toBe(404)
  expect(response.json()).toMatchObject({
    code: 'MODEL_UNKNOWN',
    detail: expect.stringMatching(/gigantic.*tiny/)
  })
})

test('a client that hangs up gives its session back', async () => {
  const gate = stepGate()
  const engine = fakeEngine({ beforeStep: gate.beforeStep })
  const { listen } = await testApp({ engine })
  const url = await listen()
  gate.shut()
  const abort = new AbortController()
  const answer = fetch(`${url}/v1/depth`, {
    method: 'POST',
    body: new Uint8Array(image),
    signal: abort.signal
  })
  await eventually(() => engine.reservedBytes).toBeGreaterThan(0)
  abort.abort()
  await expect(answer).rejects.toThrow()
  gate.open()
  await eventually(() => engine.reservedBytes).toBe(0)
})
