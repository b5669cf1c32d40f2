import { readFile, readdir } from 'node:fs/promises'
import path from 'node:path'
import { Webhook } from 'standardwebhooks'
import { beforeAll, expect, test } from 'vitest'
import { testApp } from '../../helpers/build-app.ts'
import type { TestApp } from '../../helpers/build-app.ts'
import { mp4 } from '../../helpers/clip-files.ts'
import { accepted, ended, post, state } from '../../helpers/clip-requests.ts'
import { eventually } from '../../helpers/eventually.ts'
import { fakeEngine, stepGate } from '../../helpers/fake-engine.ts'
import { addKey } from '../../helpers/keys.ts'
import { makeClip, temporaryFolder } from '../../video/clip-file.ts'
import { outside, receiver } from '../../helpers/webhook-receiver.ts'

interface Payload {
  type: string
  timestamp: string
  data: { id: string; links: { self: string; results: Record<string, string> } }
}

let video: Buffer
beforeAll(async () => {
  video = await mp4({ frames: 12, width: 84, height: 56 })
})

const config = { webhookNetworks: [outside] }
const wish = (url: string) => `?results=npz&webhook=${encodeURIComponent(url)}`

async function makeSecret(app: TestApp['app']): Promise<string> {
  const made = await app.inject({ method: 'POST', url: '/v1/webhooks/secret' })
  expect(made.statusCode).toBe(201)
  return made.json<{ secret: string }>().secret
}

test('a webhook is told how its clip ended, thin and signed, and its links lead there', async () => {
  const { app, logged } = await testApp({ config })
  const secret = await makeSecret(app)
  const { url, received } = await receiver()
  const { id } = await accepted(app, video, wish(url))
  expect(await ended(app, id)).toMatchObject({ state: 'done', webhook: url })
  await eventually(() => received.length).toBe(1)
  const [{ headers, body }] = received as [(typeof received)[0]]
  const payload = new Webhook(secret).verify(body, headers) as Payload
  expect(payload).toMatchObject({ type: 'clip.done', data: { id, state: 'done', failure: null } })
  expect(headers['webhook-id']).toBe(id)
  expect(body.length).toBeLessThan(1000)
  const { self, results } = payload.data.links
  expect((await app.inject(self)).json()).toMatchObject({ id, endedAt: payload.timestamp })
  expect((await app.inject(results.npz!)).statusCode).toBe(200)
  expect(JSON.stringify(logged)).not.toContain(secret.slice(6, 30))
})

test('a clip that fails or is cancelled is told too, one that is deleted is not', async () => {
  const gate = stepGate()
  const engine = fakeEngine({ beforeStep: gate.beforeStep })
  const { app } = await testApp({ config: { ...config, maxClipFrames: 12 }, engine })
  await makeSecret(app)
  const { url, received } = await receiver()
  const types = () => received.map(({ body }) => (JSON.parse(body) as Payload).type)
  gate.shut()
  const running = await accepted(app, video, wish(url))
  await eventually(async () => (await state(app, running.id)).state).toBe('running')
  const [cancelled, deleted] = [await accepted(app, video, wish(url)), await accepted(app, video, wish(url))]
  await app.inject({ method: 'POST', url: `/v1/clips/${cancelled.id}/cancel` })
  await eventually(types).toEqual(['clip.cancelled'])
  await app.inject({ method: 'DELETE', url: `/v1/clips/${deleted.id}` })
  gate.open()
  await eventually(types).toEqual(['clip.cancelled', 'clip.done'])
  // A Matroska file does not say how many frames it has: these are too many.
  const tooLong = await readFile(await makeClip(path.join(await temporaryFolder(), 'clip.mkv'), 14))
  await accepted(app, tooLong, wish(url))
  await eventually(types).toEqual(['clip.cancelled', 'clip.done', 'clip.failed'])
  expect(JSON.parse(received[2]!.body)).toMatchObject({
    data: { state: 'failed', failure: 'CLIP_TOO_LARGE', links: { results: {} } }
  })
})

test('a webhook that has no secret, or no address, is refused with its clip', async () => {
  const { app, config: used } = await testApp({ config })
  const unsigned = await post(app, video, wish('https://example.com/hook'))
  expect(unsigned.json()).toMatchObject({
    code: 'REQUEST_INVALID',
    detail: expect.stringContaining('POST /v1/webhooks/secret')
  })
  await makeSecret(app)
  for (const [url, detail] of [
    ['file:///etc/passwd', 'https://'],
    ['example.com', 'is not an address'],
    ['https://user:word@example.com/', 'user or password']
  ] as const)
    expect((await post(app, video, wish(url))).json()).toMatchObject({
      ...{ status: 422, code: 'URL_FORBIDDEN' },
      detail: expect.stringContaining(detail)
    })
  expect(await readdir(path.join(used.dataDir, 'clips'))).toEqual([])
})

test('one that leads inside is given up, listed, and can be sent again', async () => {
  const { app } = await testApp({ config })
  await makeSecret(app)
  const inside = await receiver()
  const { id } = await accepted(app, video, wish(`http://localhost:${inside.port}/`))
  const dead = async () => (await app.inject('/v1/webhooks')).json<{ webhooks: object[] }>().webhooks
  const letter = { id, type: 'clip.done', tries: 1, reason: expect.stringContaining('not public') }
  await eventually(dead).toMatchObject([letter])
  const again = await app.inject({ method: 'POST', url: `/v1/webhooks/${id}/resend` })
  expect(again.statusCode).toBe(202)
  await eventually(dead).toMatchObject([letter])
  expect(inside.received).toEqual([])
})

test('what a server could not deliver before it ended is delivered in its next life, and then no more', async () => {
  const before = await testApp({ config })
  const secret = await makeSecret(before.app)
  let status = 500
  const { url, received } = await receiver((response) => response.writeHead(status).end())
  const { id } = await accepted(before.app, video, wish(url))
  await eventually(() => received.length).toBe(1)
  await before.app.close()
  status = 204
  for (let life = 0; life < 2; life++) {
    const { app } = await testApp({ config: { ...config, dataDir: before.config.dataDir } })
    await eventually(() => received.length).toBe(2)
    await app.close()
  }
  const [, { headers, body }] = received as [object, (typeof received)[0]]
  expect(headers['webhook-id']).toBe(id)
  expect(new Webhook(secret).verify(body, headers)).toMatchObject({ data: { id } })
})

test('a key has an address for its clips, which a clip may change or leave out', async () => {
  const { app, keys } = await testApp({ config: { ...config, auth: 'keys' } })
  const [usual, other] = [await receiver(), await receiver()]
  const { headers } = await addKey(keys, { webhook: usual.url })
  const send = async (query: string) => {
    const named = { ...headers, 'content-type': 'video/mp4' }
    const taken = await app.inject({
      method: 'POST',
      url: `/v1/clips${query}`,
      headers: named,
      payload: video
    })
    return taken.json<{ id: string; webhook?: string; code?: string; detail?: string }>()
  }
  expect(await send('?results=npz')).toMatchObject({
    code: 'REQUEST_INVALID',
    detail: expect.stringContaining('secret')
  })
  await app.inject({ method: 'POST', url: '/v1/webhooks/secret', headers })
  const own = await send('?results=npz')
  const others = await send(wish(other.url))
  const none = await send('?results=npz&webhook=')
  const part = { ...headers, 'tus-resumable': '1.0.0', 'upload-length': String(video.length) }
  const uploaded = await app.inject({
    ...{ method: 'POST', url: '/v1/uploads?results=npz', payload: video },
    headers: { ...part, 'content-type': 'application/offset+octet-stream' }
  })
  const inParts = String(uploaded.headers['x-leadline-clip']).replace('clips/', '')
  expect([own.webhook, others.webhook, none.webhook]).toEqual([usual.url, other.url, undefined])
  const told = ({ received }: typeof usual) => received.map((one) => one.headers['webhook-id']).toSorted()
  await eventually(() => told(usual)).toEqual([own.id, inParts].toSorted())
  await eventually(() => told(other)).toEqual([others.id])
})
