import { readdir } from 'node:fs/promises'
import net from 'node:net'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import sharp from 'sharp'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Config } from '../../src/config.ts'
import type { TestApp } from '../helpers/build-app.ts'
import { testApp } from '../helpers/build-app.ts'
import { mp4 } from '../helpers/clip-files.ts'
import { eventually } from '../helpers/eventually.ts'

let image: Buffer
let video: Buffer
beforeAll(async () => {
  image = await sharp({ create: { width: 112, height: 84, channels: 3, background: '#4080c0' } })
    .jpeg()
    .toBuffer()
  video = await mp4({ frames: 2, width: 84, height: 56 })
})

/** The two routes that take an upload, what they call the file of a form, and one that is right. */
const routes = [
  ['/v1/depth', 'image', () => image],
  ['/v1/clips', 'video', () => video]
] as const

interface Answer {
  status: number
  code?: string
  detail?: string
}

const boundary = 'x-boundary'
const part = (header: string, body: Buffer | string) =>
  Buffer.concat([Buffer.from(`--${boundary}\r\n${header}\r\n\r\n`), Buffer.from(body), Buffer.from('\r\n')])
const filePart = (name: string, body: Buffer) =>
  part(`content-disposition: form-data; name="${name}"; filename="a"`, body)
const fieldPart = (name: string, value: string) =>
  part(`content-disposition: form-data; name="${name}"`, value)
const end = Buffer.from(`--${boundary}--\r\n`)

async function post(app: TestApp['app'], url: string, payload: Buffer, type = boundary): Promise<Answer> {
  const headers = { 'content-type': `multipart/form-data; boundary=${type}` }
  const response = await app.inject({ method: 'POST', url, payload, headers })
  const isJson = String(response.headers['content-type']).includes('json')
  return { status: response.statusCode, ...(isJson ? response.json<object>() : {}) }
}

/** A connection on which this was sent; it stays open. */
function sent(server: string, bytes: (string | Buffer)[]): net.Socket {
  const socket = net.connect(Number(new URL(server).port), '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  for (const piece of bytes) socket.write(piece)
  return socket
}

const head = (url: string, ...headers: string[]) =>
  `${[`POST ${url} HTTP/1.1`, 'host: localhost', ...headers].join('\r\n')}\r\n\r\n`

describe.each(routes)('%s', (url, name, file) => {
  test.each([
    ['no boundary', () => Buffer.from('x'), ''],
    ['a boundary of 5,000 bytes', () => Buffer.from('x'), 'b'.repeat(5000)],
    ['nothing but text', () => Buffer.from('x'), boundary],
    ['no end', () => filePart(name, file()), boundary],
    ['a file that is cut', () => filePart(name, file()).subarray(0, 400), boundary],
    ['a broken header', () => Buffer.concat([part('content-disposition', file()), end]), boundary]
  ])('a form with %s is the client’s fault', async (_, payload, type) => {
    const { app, logged } = await testApp()
    expect(await post(app, url, payload(), type)).toMatchObject({
      status: 400,
      code: 'REQUEST_INVALID',
      detail: expect.stringMatching(/\w/)
    })
    expect(logged.filter(({ level }) => Number(level) >= 50)).toEqual([])
  })

  test.each([
    ['a second file', () => [filePart(name, file()), filePart(name, file())], '', /second file/],
    ['a file of another name', () => [filePart('picture', file())], '', new RegExp(`picture.*${name}`)],
    ['no file', () => [fieldPart('model', 'tiny')], '', new RegExp(`no file.*${name}`)],
    [
      'an unknown field',
      () => [filePart(name, file()), fieldPart('colour', 'red')],
      '',
      /no parameter "colour"/
    ],
    [
      'a field twice',
      () => [fieldPart('model', 'a'), fieldPart('model', 'b'), filePart(name, file())],
      '',
      /twice/
    ],
    [
      'a field that is in the query',
      () => [filePart(name, file()), fieldPart('model', 'a')],
      '?model=tiny',
      /"model" is in the query/
    ],
    [
      'a field of the wrong kind',
      () => [filePart(name, file()), fieldPart('colormap', 'red')],
      '',
      /"colormap" in the form must be one of turbo/
    ],
    [
      'a field without end',
      () => [fieldPart('model', 'm'.repeat(9000)), filePart(name, file())],
      '',
      /too long/
    ]
  ])('a form with %s is refused', async (_, parts, query, detail) => {
    const { app } = await testApp()
    expect(await post(app, `${url}${query}`, Buffer.concat([...parts(), end]))).toMatchObject({
      status: 400,
      code: 'REQUEST_INVALID',
      detail: expect.stringMatching(detail)
    })
  })

  test('the fields of a form are honoured before and after the file, beside the query', async () => {
    const { app } = await testApp()
    for (const parts of [
      [fieldPart('model', 'gigantic'), filePart(name, file())],
      [filePart(name, file()), fieldPart('model', 'gigantic')]
    ])
      expect(await post(app, `${url}?colormap=gray`, Buffer.concat([...parts, end]))).toMatchObject({
        code: 'MODEL_UNKNOWN'
      })
  })

  test.each([
    ['body', () => [head(url, 'content-length: 100000'), file().subarray(0, 99)]],
    [
      'form before its file',
      () => [head(url, 'content-length: 9999', `content-type: multipart/form-data; boundary=${boundary}`)]
    ],
    [
      'form in its file',
      () => [
        head(url, 'content-length: 9999', `content-type: multipart/form-data; boundary=${boundary}`),
        filePart(name, file()).subarray(0, 200)
      ]
    ]
  ])('a %s that stalls ends with 408, and with the connection', async (_, bytes) => {
    const app = await testApp({ config: { uploadTimeoutMs: 100 } })
    const [headers = '', body = ''] = (await text(sent(await app.listen(), bytes()))).split('\r\n\r\n')
    expect(headers).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/)
    expect(JSON.parse(body)).toMatchObject({ code: 'REQUEST_TIMEOUT', temporary: true })
    await eventually(() => readdir(path.join(app.config.dataDir, 'clips'))).toEqual([])
  })

  test('what is declared too long is refused before it comes', async () => {
    const { listen } = await testApp({ config: { maxFrameBytes: 5000, maxClipBytes: 5000 } })
    const server = await listen()
    for (const extra of ['x-a: b', `content-type: multipart/form-data; boundary=${boundary}`]) {
      const socket = sent(server, [head(url, 'content-length: 5000000000', extra)])
      const [answer] = (await socket.setEncoding('latin1').take(1).toArray()) as string[]
      expect(answer).toMatch(/^HTTP\/1\.1 413 .*(FRAME|CLIP)_TOO_LARGE.*5000 bytes at most/s)
    }
  })

  test('what turns out too long is refused, and the answer arrives though the client still sends', async () => {
    const app = await testApp({ config: { maxFrameBytes: 5000, maxClipBytes: 5000 } })
    const body = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(65_536))
    })
    const options = { method: 'POST', body, duplex: 'half' }
    const response = await fetch(`${await app.listen()}${url}`, options)
    expect(response.status).toBe(413)
    expect(await response.text()).toMatch(/5000 bytes at most.*LEADLINE_MAX_(FRAME|CLIP)_BYTES/)
  })
})

test('format and size of a form make the depth that the same query makes', async () => {
  const { app } = await testApp()
  const payload = Buffer.concat([filePart('image', image), fieldPart('format', 'jpeg'), end])
  const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` }
  const byForm = await app.inject({ method: 'POST', url: '/v1/depth?size=network', payload, headers })
  const byQuery = await app.inject({
    method: 'POST',
    url: '/v1/depth?size=network&format=jpeg',
    payload: image
  })
  expect(byForm.headers['content-type']).toBe('image/jpeg')
  expect(byForm.rawPayload.equals(byQuery.rawPayload)).toBe(true)
})

test.each([
  ['?results=npz,depth.mp4', []],
  ['?results=npz&results=depth.mp4', []],
  ['?results=npz,%20depth.mp4', []],
  ['', [fieldPart('results', 'npz,depth.mp4')]],
  ['', [fieldPart('results', 'npz'), fieldPart('results', 'depth.mp4')]]
])('results may be there several times or with commas: %s', async (query, fields) => {
  const { app } = await testApp()
  const payload = Buffer.concat([...fields, filePart('video', video), end])
  expect(await post(app, `/v1/clips${query}`, payload)).toMatchObject({
    status: 202,
    results: ['npz', 'depth.mp4']
  })
})

const stalled = { uploadTimeoutMs: 600_000 } satisfies Partial<Config>

test('uploads that stall keep nobody from the queue', async () => {
  const app = await testApp({ config: { ...stalled, maxWaitingClips: 1, maxUploads: 4 } })
  const server = await app.listen()
  for (let i = 0; i < 3; i++) sent(server, [head('/v1/clips', 'content-length: 1000'), 'x'])
  await eventually(() => readdir(path.join(app.config.dataDir, 'clips'))).toHaveLength(3)
  const taken = await app.app.inject({ method: 'POST', url: '/v1/clips', payload: video })
  expect(taken.statusCode).toBe(202)
})

test.each(['cacheSize=32', 'mode=vda-stream', 'mode=offline&steadyRange=true'])(
  'a clip that the model cannot run is refused at once: %s',
  async (query) => {
    const { app } = await testApp()
    const response = await app.inject({ method: 'POST', url: `/v1/clips?${query}`, payload: video })
    expect(response.statusCode).toBe(422)
    expect(response.json()).toMatchObject({ code: 'MODEL_MODE_UNSUPPORTED' })
  }
)
