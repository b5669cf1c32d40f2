import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { TestApp } from '../helpers/build-app.ts'
import { startTestApp } from '../helpers/build-app.ts'
import { mp4 } from '../helpers/clip-files.ts'

/** One finished clip for all of it. */
let gateway: TestApp & { close: () => Promise<void> }
let url: string
let whole: Awaited<ReturnType<typeof get>>
beforeAll(async () => {
  gateway = await startTestApp()
  const payload = await mp4({ frames: 2, width: 84, height: 56 })
  const posted = await gateway.app.inject({ method: 'POST', url: '/v1/clips?results=npz', payload })
  const location = `/v1/${posted.headers.location}`
  await vi.waitFor(
    async () => expect((await gateway.app.inject(location)).json()).toMatchObject({ state: 'done' }),
    { timeout: 90_000 }
  )
  url = `${location}/results/npz`
  whole = await get()
})
afterAll(() => gateway.close())

const get = (headers: Record<string, string> = {}) => gateway.app.inject({ url, headers })

test('a result says what it is, how large, and which one', async () => {
  expect(whole.headers).toMatchObject({
    'accept-ranges': 'bytes',
    'content-type': 'application/zip',
    'content-disposition': 'attachment; filename="depth.npz"',
    'content-length': String(whole.rawPayload.length),
    etag: expect.stringMatching(/^"[^"]+"$/),
    'last-modified': expect.stringMatching(/GMT$/)
  })
  const head = await gateway.app.inject({ method: 'HEAD', url })
  expect(head.statusCode).toBe(200)
  expect(head.headers).toMatchObject({
    etag: whole.headers.etag,
    'content-length': whole.headers['content-length']
  })
})

test.each([
  ['bytes=5-104', 5, 104],
  ['bytes=-100', -100, -1],
  ['bytes=100-', 100, -1]
])('of a result, %s can be fetched', async (range, first, last) => {
  const part = await get({ range })
  const { length } = whole.rawPayload
  const [start, end] = [first, last].map((at) => (at < 0 ? length + at : at)) as [number, number]
  expect(part.statusCode).toBe(206)
  expect(part.headers['content-range']).toBe(`bytes ${start}-${end}/${length}`)
  expect(part.rawPayload.equals(whole.rawPayload.subarray(start, end + 1))).toBe(true)
})

test('a range past the end is 416 with the size', async () => {
  const response = await get({ range: 'bytes=99999999-' })
  expect(response.statusCode).toBe(416)
  expect(response.headers['content-range']).toBe(`bytes */${whole.rawPayload.length}`)
  expect(response.json()).toMatchObject({
    code: 'RANGE_UNSATISFIABLE',
    detail: expect.stringContaining(`${whole.rawPayload.length} bytes`)
  })
})

test('a client that has the file already is told so', async () => {
  const again = await get({ 'if-none-match': String(whole.headers.etag) })
  expect(again.statusCode).toBe(304)
  expect(again.rawPayload).toHaveLength(0)
  expect((await get({ 'if-none-match': '"other"' })).statusCode).toBe(200)
})

test('a part is only given of the file that the client began with', async () => {
  const range = 'bytes=5-104'
  expect((await get({ range, 'if-range': String(whole.headers.etag) })).statusCode).toBe(206)
  expect((await get({ range, 'if-range': String(whole.headers['last-modified']) })).statusCode).toBe(206)
  const stale = await get({ range, 'if-range': '"other"' })
  expect(stale.statusCode).toBe(200)
  expect(stale.rawPayload.equals(whole.rawPayload)).toBe(true)
  const weak = `W/${whole.headers.etag}`
  expect((await get({ range, 'if-range': weak })).statusCode).toBe(200)
  expect((await get({ 'if-match': weak })).statusCode).toBe(412)
  expect((await get({ 'if-match': `"other", ${whole.headers.etag}` })).statusCode).toBe(200)
  expect((await get({ 'if-none-match': weak })).statusCode).toBe(304)
  const other = await get({ 'if-match': '"other"' })
  expect(other.statusCode).toBe(412)
  expect(other.json()).toMatchObject({ code: 'PRECONDITION_FAILED' })
})
