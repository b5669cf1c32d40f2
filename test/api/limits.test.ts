import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test, vi } from 'vitest'
import { testApp } from '../helpers/build-app.ts'
import { eventually } from '../helpers/eventually.ts'
import { addKey } from '../helpers/keys.ts'
import { frameMessage, greyFrame, openStream } from '../helpers/stream-client.ts'
import type { Received } from '../helpers/stream-client.ts'
import { makeClip, temporaryFolder } from '../video/clip-file.ts'

async function withLimits(limits: object, config = {}) {
  const service = await testApp({ config: { auth: 'keys', ...config } })
  const { headers } = await addKey(service.keys, { limits })
  return { ...service, headers, url: await service.listen() }
}

const lossless = { delivery: 'lossless' }

test('frames beyond the rate of a key fail one by one, are told when to come back, and the session goes on', async () => {
  // One comes at once, the next after minutes.
  const { url, headers } = await withLimits({ framesPerSecond: 0.005 })
  const client = await openStream(url, lossless, { headers })
  for (let seq = 0; seq < 3; seq++) client.send(greyFrame(seq))
  expect(await client.expect('result')).toMatchObject({ header: { seq: 0 } })
  const waits: number[] = []
  for (const seq of [1, 2]) {
    const refused = await client.expect('error')
    expect(refused).toMatchObject({ code: 'LIMIT_REACHED', seq, temporary: true })
    waits.push(refused.retryAfterMs ?? 0)
  }
  for (const wait of waits) expect(wait).toBeGreaterThanOrEqual(500)
  client.send({ type: 'close' })
  expect(await client.expect('summary')).toMatchObject({ frames: 3, results: 1, errors: 2 })
})

test('all streams of a key share its rate, and those of other keys have their own', async () => {
  const { url, headers, keys } = await withLimits({ framesPerSecond: 0.005 })
  const [first, second] = [
    await openStream(url, lossless, { headers }),
    await openStream(url, lossless, { headers })
  ]
  const other = await openStream(url, lossless, { headers: (await addKey(keys)).headers })
  first.send(greyFrame(0))
  await first.expect('result')
  second.send(greyFrame(0))
  expect(await second.expect('error')).toMatchObject({ code: 'LIMIT_REACHED' })
  for (let seq = 0; seq < 3; seq++) other.send(greyFrame(seq))
  for (let seq = 0; seq < 3; seq++) await other.expect('result')
})

test('megapixels are those of the picture, whatever its header says', async () => {
  const { url, headers } = await withLimits({ megapixelsPerSecond: 0.001 })
  const client = await openStream(url, lossless, { headers })
  // 56x42 are 2352 pixels: paid off after more than a second.
  const { default: sharp } = await import('sharp')
  const grey = sharp({ create: { width: 4000, height: 3000, channels: 3, background: '#777' } })
  client.send(frameMessage(0, await grey.jpeg().toBuffer(), { codec: 'jpeg' }))
  client.send(greyFrame(1))
  const seen: Received[] = [await client.next(), await client.next()]
  expect(seen[1]).toMatchObject({ type: 'error', seq: 1, code: 'LIMIT_REACHED' })
})

test('single images count with the frames of streams, and what is refused says until when', async () => {
  const { app, url, headers, keys } = await withLimits({ megapixelsPerSecond: 0.001 })
  const ask = async (shown = headers) =>
    app.inject({ method: 'POST', url: '/v1/depth', headers: shown, payload: await png(100) })
  expect((await ask()).statusCode).toBe(200)
  // 10000 pixels, of which 1000 come in a second.
  const refused = await ask()
  expect(refused.json()).toMatchObject({ code: 'LIMIT_REACHED', status: 429, temporary: true })
  expect(refused.headers['ratelimit-policy']).toBe('"pixels";q=1000;w=1')
  const seconds = Number(/^"pixels";r=0;t=(\d+)$/.exec(String(refused.headers['ratelimit']))?.[1])
  expect(seconds).toBeGreaterThan(0)
  expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(seconds)
  const client = await openStream(url, lossless, { headers })
  client.send(greyFrame(0))
  expect(await client.expect('error')).toMatchObject({ code: 'LIMIT_REACHED', seq: 0 })
  expect((await ask((await addKey(keys)).headers)).statusCode).toBe(200)
})

test('an image beyond the frames of a key is refused, and a frame of a stream counts as one', async () => {
  const { app, url, headers } = await withLimits({ framesPerSecond: 0.005 })
  const client = await openStream(url, lossless, { headers })
  client.send(greyFrame(0))
  await client.expect('result')
  const refused = await app.inject({ method: 'POST', url: '/v1/depth', headers, payload: await png(8) })
  expect(refused.statusCode).toBe(429)
  expect(refused.headers['ratelimit-policy']).toBe('"frames";q=1;w=200')
})

test('a key has no more sessions than it may, kept ones too, and an ended one makes room', async () => {
  const { app, url, headers } = await withLimits({ sessions: 2 })
  const opened = await Promise.allSettled(
    Array.from({ length: 5 }, () => openStream(url, { resumable: true }, { headers }))
  )
  const clients = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  expect(clients).toHaveLength(2)
  for (const one of opened)
    if (one.status === 'rejected')
      expect(String(one.reason)).toMatch(/LIMIT_REACHED.*"temporary":true.*retryAfterMs/)
  clients[0]!.ws.terminate()
  await expect(openStream(url, {}, { headers })).rejects.toThrow(/LIMIT_REACHED/)
  const image = await app.inject({ method: 'POST', url: '/v1/depth', headers, payload: await png(8) })
  expect(image.statusCode).toBe(429)
  expect(Number(image.headers['retry-after'])).toBeGreaterThan(0)
  const { session } = clients[1]!.ready
  expect((await app.inject({ method: 'DELETE', url: `/v1/sessions/${session}`, headers })).statusCode).toBe(
    204
  )
  await openStream(url, {}, { headers })
})

test.each([
  ['a usual key', {}, 5],
  ['a key that may have less', { limits: { priority: 2 } }, 2],
  ['a key that may have more', { limits: { priority: 8 } }, 8],
  ['an administrator', { scopes: ['admin'] }, 9]
] as const)('of %s no session has more priority than it may', async (_, wish, most) => {
  const service = await testApp({ config: { auth: 'keys' } })
  const open = vi.spyOn(service.sessions, 'open')
  const { headers } = await addKey(service.keys, wish)
  const url = await service.listen()
  for (const config of [{}, { priority: 0 }, { priority: most }]) await openStream(url, config, { headers })
  expect(open.mock.calls.map(([{ priority }]) => priority)).toEqual([Math.min(5, most), 0, most])
  for (let priority = Math.max(5, most) + 1; priority <= 9; priority++)
    await expect(openStream(url, { priority }, { headers })).rejects.toThrow(
      new RegExp(`FORBIDDEN.*priority ${most} at most, not ${priority}; .*--limit priority=${priority}`)
    )
  const image = await service.app.inject({ method: 'POST', url: '/v1/depth', headers, payload: await png(8) })
  expect(image.statusCode).toBe(200)
})

async function png(side: number): Promise<Buffer> {
  const { default: sharp } = await import('sharp')
  return sharp({ create: { width: side, height: side, channels: 3, background: '#777' } })
    .png()
    .toBuffer()
}

test('requests beyond those of a minute are refused, and every answer says where its key stands', async () => {
  const { app, headers, keys } = await withLimits({ requestsPerMinute: 3 })
  const ask = (shown = headers) => app.inject({ url: '/v1/models', headers: shown })
  const answers = [await ask(), await ask(), await ask(), await ask()]
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 429])
  for (const [i, { headers: told }] of answers.entries()) {
    expect(told['ratelimit-policy']).toBe('"requests";q=3;w=60')
    expect(told['ratelimit']).toMatch(new RegExp(`^"requests";r=${Math.max(0, 2 - i)};t=\\d+$`))
  }
  const { retryAfterMs } = answers[3]!.json<{ retryAfterMs: number }>()
  expect(Number(answers[3]!.headers['retry-after'])).toBe(Math.ceil(retryAfterMs / 1000))
  expect((await ask((await addKey(keys)).headers)).headers['ratelimit']).toBeUndefined()
})

test('a key gets no more tickets than it may', async () => {
  const { app, headers } = await withLimits({ ticketsPerMinute: 1 })
  const ask = () => app.inject({ method: 'POST', url: '/v1/tickets', headers })
  expect((await ask()).statusCode).toBe(201)
  const refused = await ask()
  expect(refused.json()).toMatchObject({
    code: 'LIMIT_REACHED',
    detail: expect.stringContaining('1 tickets')
  })
  expect(refused.headers['ratelimit-policy']).toBe('"tickets";q=1;w=60')
})

test('clips of a key are no larger and no more than it may, and one that is over makes room', async () => {
  const { app, headers } = await withLimits({ clips: 1, clipFrames: 4 })
  const folder = await temporaryFolder()
  const send = async (frames: number) => {
    const payload = await readFile(await makeClip(path.join(folder, `${frames}.mp4`), frames))
    const shown = { ...headers, 'content-type': 'video/mp4' }
    return app.inject({ method: 'POST', url: '/v1/clips', headers: shown, payload })
  }
  expect((await send(5)).json()).toMatchObject({
    code: 'CLIP_TOO_LARGE',
    detail: expect.stringContaining('4 frames')
  })
  // Uploads count as well: of two at once one is let in.
  const both = await Promise.all([send(3), send(4)])
  const taken = both.find(({ statusCode }) => statusCode === 202)
  const refused = both.find(({ statusCode }) => statusCode !== 202)
  expect(refused?.json()).toMatchObject({ code: 'LIMIT_REACHED', status: 429, temporary: true })
  const { id } = taken!.json<{ id: string }>()
  await eventually(
    async () => (await app.inject({ url: `/v1/clips/${id}`, headers })).json<{ state: string }>().state
  ).toBe('done')
  expect((await send(2)).statusCode).toBe(202)
})

test('a clip with more bytes than its key may send is refused before it comes', async () => {
  const { app, headers } = await withLimits({ clipBytes: 1000 })
  const answer = await app.inject({ method: 'POST', url: '/v1/clips', headers, payload: Buffer.alloc(1001) })
  expect(answer.json()).toMatchObject({
    code: 'CLIP_TOO_LARGE',
    detail: expect.stringContaining('1000 bytes')
  })
})

test('an address that shows no valid key is told to wait; whoever shows one there is served', async () => {
  const { app, headers } = await withLimits({}, { refusalsPerMinute: 2, trustedProxies: ['127.0.0.1'] })
  const ask = (from: string, shown = {}) =>
    app.inject({ url: '/v1/models', headers: { 'x-forwarded-for': from, ...shown } })
  const statuses = []
  for (let i = 0; i < 4; i++)
    statuses.push((await ask('192.0.2.1', { authorization: 'Bearer lk_x' })).statusCode)
  expect(statuses).toEqual([401, 401, 429, 429])
  expect((await ask('192.0.2.1')).headers['ratelimit-policy']).toBe('"refusals";q=2;w=60')
  expect((await ask('192.0.2.1', headers)).statusCode).toBe(200)
  expect((await ask('192.0.2.2')).statusCode).toBe(401)
})

test('an address is not believed that no proxy vouches for', async () => {
  const { app } = await withLimits({}, { refusalsPerMinute: 1 })
  const ask = (from: string) => app.inject({ url: '/v1/models', headers: { 'x-forwarded-for': from } })
  expect((await ask('192.0.2.1')).statusCode).toBe(401)
  expect((await ask('192.0.2.2')).statusCode).toBe(429)
})
