import { readdir } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { testApp } from '../../helpers/build-app.ts'
import type { TestApp } from '../../helpers/build-app.ts'
import { mp4 } from '../../helpers/clip-files.ts'
import { ended } from '../../helpers/clip-requests.ts'
import type { ClipBody } from '../../helpers/clip-requests.ts'

let video: Buffer
beforeAll(async () => {
  video = await mp4({ frames: 3, width: 84, height: 56 })
})

/** Where the video lies, and how often it was asked for. */
async function library() {
  let count = 0
  const server = http.createServer((_, response) => {
    count++
    response.end(video)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/holiday.mp4`, count: () => count }
}

const post = (app: TestApp['app'], payload: object, headers = {}) =>
  app.inject({ method: 'POST', url: '/v1/clips', payload, headers })

test('a clip is fetched from an address that is allowed, with the wishes beside it, and once by its key', async () => {
  const { app } = await testApp({ config: { clipUrlNetworks: ['127.0.0.0/8'] } })
  const { url, count } = await library()
  const document = { url, results: ['npz'], cacheSize: 8 }
  const taken = await post(app, document, { 'idempotency-key': 'one' })
  expect(taken.statusCode, taken.body).toBe(202)
  const { id } = taken.json<ClipBody>()
  expect(await ended(app, id)).toMatchObject({ state: 'done', progress: { frames: 3 }, cacheSize: 8 })
  expect((await post(app, document, { 'idempotency-key': 'one' })).json()).toMatchObject({ id })
  expect(count()).toBe(1)
})

test('an address that is not public, or no address, is refused, and nothing is left', async () => {
  const { app, config } = await testApp()
  const { url, count } = await library()
  expect((await post(app, { url })).json()).toMatchObject({ status: 422, code: 'URL_FORBIDDEN' })
  for (const [document, detail] of [
    [{ link: url }, /"url" is an address/],
    [{ url, colour: 'red' }, /The body has no parameter "colour"/],
    [[], /"url" is an address/]
  ] as const)
    expect((await post(app, document)).json()).toMatchObject({
      code: 'REQUEST_INVALID',
      detail: expect.stringMatching(detail)
    })
  expect(count()).toBe(0)
  expect(await readdir(path.join(config.dataDir, 'clips'))).toEqual([])
})
