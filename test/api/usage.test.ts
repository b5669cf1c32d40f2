import { beforeAll, expect, test } from 'vitest'
import { dayOf } from '../../src/metering/measures.ts'
import { testApp } from '../helpers/build-app.ts'
import type { TestAppOptions } from '../helpers/build-app.ts'
import { mp4 } from '../helpers/clip-files.ts'
import { accepted, ended } from '../helpers/clip-requests.ts'
import { eventually } from '../helpers/eventually.ts'
import type { RemoteUsage } from '../../src/cli/usage-table.ts'
import { addKey } from '../helpers/keys.ts'
import type { TestKey } from '../helpers/keys.ts'
import { frameMessage, openStream } from '../helpers/stream-client.ts'

const size = { width: 56, height: 42 }
let video: Buffer
beforeAll(async () => {
  video = await mp4({ frames: 7, width: 84, height: 56 })
})

async function service(config: TestAppOptions['config'] = { auth: 'keys' }) {
  const made = await testApp({ config })
  const usage = async (by?: TestKey, query = ''): Promise<RemoteUsage[]> => {
    const answer = await made.app.inject({ url: `/v1/usage${query}`, ...(by && { headers: by.headers }) })
    expect(answer.statusCode).toBe(200)
    return answer.json<{ usage: RemoteUsage[] }>().usage
  }
  return { ...made, usage }
}

/** So many frames through a stream that is closed. */
async function stream(
  url: string,
  frames: number,
  by?: TestKey
): Promise<{ sent: number; received: number }> {
  const client = await openStream(url, { delivery: 'lossless' }, by && { headers: by.headers })
  const bytes = { sent: 0, received: 0 }
  for (let seq = 0; seq < frames; seq++) {
    const message = frameMessage(seq, new Uint8Array(3 * size.width * size.height).fill(seq), size)
    bytes.sent += message.byteLength
    client.send(message)
    const { payload } = await client.expect('result')
    bytes.received += payload.byteLength + 64
  }
  client.send(JSON.stringify({ type: 'close' }))
  await client.closed
  return bytes
}

test('frames of a stream count for its key, with their pixels, bytes and time', async () => {
  const { keys, listen, usage } = await service()
  const [mine, other] = [await addKey(keys, { name: 'mine' }), await addKey(keys)]
  const before = Date.now()
  const { sent, received } = await stream(await listen(), 5, mine)
  const [used, ...rest] = await usage(mine)
  expect(rest).toEqual([])
  expect([dayOf(before), dayOf(Date.now())]).toContain(used?.day)
  expect(used).toMatchObject({
    ...{ key: mine.key.id, name: 'mine', frames: 5, clipFrames: 0, bytesIn: sent, bytesOut: received },
    megapixels: expect.closeTo((5 * size.width * size.height) / 1e6, 9)
  })
  expect(used?.deviceMs).toBeGreaterThan(0)
  await eventually(async () => (await usage(mine))[0]?.sessionSeconds).toBeGreaterThan(0)
  expect(await usage(other)).toEqual([])
})

test('a key sees its own alone, one with scope admin all or one', async () => {
  const { app, keys, listen, usage } = await service()
  const [a, b] = [await addKey(keys, { name: 'a' }), await addKey(keys, { name: 'b' })]
  const admin = await addKey(keys, { name: 'admin', scopes: ['admin'] })
  const url = await listen()
  await stream(url, 1, a)
  await stream(url, 2, b)
  const frames = (rows: RemoteUsage[]) => Object.fromEntries(rows.map(({ name, frames }) => [name, frames]))
  expect(frames(await usage(a))).toEqual({ a: 1 })
  expect(frames(await usage(a, `?key=${a.key.id}`))).toEqual({ a: 1 })
  expect(frames(await usage(admin))).toEqual({ a: 1, b: 2 })
  expect(frames(await usage(admin, `?key=${b.key.id}`))).toEqual({ b: 2 })
  expect(await usage(admin, '?key=anonymous')).toEqual([])
  for (const key of [b.key.id, 'anonymous']) {
    const answer = await app.inject({ url: `/v1/usage?key=${key}`, headers: a.headers })
    expect(answer.json()).toMatchObject({ code: 'FORBIDDEN', detail: expect.stringContaining('admin') })
  }
  await keys.revoke(b.key.id, Date.now())
  expect(frames(await usage(admin))).toEqual({ a: 1, b: 2 })
})

test('where no key is asked for, images, streams and clips count for nobody, each once', async () => {
  const { app, listen, usage } = await service({})
  await stream(await listen(), 2)
  const clip = await ended(app, (await accepted(app, video, '?results=npz')).id)
  expect(clip).toMatchObject({ state: 'done', progress: { frames: 7 } })
  await eventually(async () => (await usage())[0]?.clipFrames).toBe(7)
  const [used] = await usage()
  expect(used).toMatchObject({ key: null, name: null, frames: 2 })
  expect(used?.megapixels).toBeCloseTo((2 * size.width * size.height + 7 * 84 * 56) / 1e6, 9)
  expect(used?.bytesIn).toBeGreaterThan(video.byteLength)
  const { statusCode } = await app.inject({ method: 'DELETE', url: `/v1/clips/${clip.id}` })
  expect(statusCode).toBe(204)
  expect(await usage()).toEqual([used])
})

test('days are asked for as they are, and what cannot be asked for is refused', async () => {
  const { app, listen, usage } = await service({})
  await stream(await listen(), 1)
  const today = dayOf(Date.now())
  expect(await usage(undefined, '?from=2026-01-01&to=2026-01-31')).toEqual([])
  expect((await usage(undefined, `?from=${dayOf(Date.now() - 86_400_000)}&to=${today}`))[0]?.frames).toBe(1)
  for (const query of [
    'from=2026-02-02&to=2026-02-01',
    'from=2020-01-01',
    'from=2026-02-30',
    'key=x',
    'day=1'
  ]) {
    const answer = await app.inject(`/v1/usage?${query}`)
    expect(answer.json(), query).toMatchObject({ code: 'REQUEST_INVALID', status: 400 })
  }
})

test.each([false, true])(
  'Prometheus is told sums, by key only where that is wished (%s)',
  async (metricsPerKey) => {
    const { app, keys, listen } = await service({ auth: 'keys', metricsPerKey })
    const key = await addKey(keys, { scopes: ['stream', 'metrics'] })
    await stream(await listen(), 3, key)
    const { payload } = await app.inject({ url: '/metrics', headers: key.headers })
    const label = metricsPerKey ? `{key="${key.key.id}"}` : ''
    expect(payload).toContain(`\nleadline_usage_frames_total${label} 3\n`)
    expect(payload.includes(key.key.id)).toBe(metricsPerKey)
  }
)
