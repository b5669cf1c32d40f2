import { expect, test } from 'vitest'
import { chained, emptyDigest, payloadDigest, shortDigest } from '../../src/wire/state-digest.ts'
import { testApp } from '../helpers/build-app.ts'
import { eventually } from '../helpers/eventually.ts'
import { HashEngine, expectedChain, testFrame } from '../helpers/hash-engine.ts'
import type { Received, StreamClient } from '../helpers/stream-client.ts'
import { connect, openStream } from '../helpers/stream-client.ts'

const payload = (seq: number) => Uint8Array.of(7, seq)
const frame = (seq: number) => testFrame(seq, payload(seq)).message
const resumable = { delivery: 'lossless', resumable: true } as const

async function setup(config: { graceMs?: number; idleTimeoutMs?: number; maxFrameBytes?: number } = {}) {
  const engine = new HashEngine()
  const { app, listen, sessions } = await testApp({ config: { defaultModel: 'hash', ...config }, engine })
  return { app, engine, sessions, url: await listen() }
}

interface Place {
  session: string
  token: string
  epoch: number
  seq: number
}

/** Come back to a session, at this place. */
async function resume(url: string, place: Place, more: object = {}): Promise<StreamClient> {
  const client = await connect(url)
  client.send({ type: 'config', resume: place, ...more })
  return client
}

function placeOf(client: { ready: { session: string; resumeToken: string } }, seq: number): Place {
  return { session: client.ready.session, token: client.ready.resumeToken, epoch: seq < 0 ? 0 : 1, seq }
}

function inShort(messages: Received[]): string[] {
  return messages.map((message) => {
    if (message.type === 'result')
      return `result ${message.header.seq} ${Buffer.from(message.payload).toString('hex').slice(0, 8)}`
    return 'seq' in message ? `${message.type} ${message.seq}` : message.type
  })
}

/** What the first frames must give. */
function expected(count: number, from = 0): string[] {
  const chain = expectedChain(Array.from({ length: count }, (_, seq) => testFrame(seq, payload(seq))))
  return chain.map((hash, seq) => `result ${seq} ${hash.slice(0, 8)}`).slice(from)
}

/** The state digest of the first frames. */
function digestOf(count: number): string {
  const seqs = Array.from({ length: count }, (_, seq) => seq)
  return shortDigest(
    seqs.reduce((digest, seq) => chained(digest, seq, payloadDigest(payload(seq))), emptyDigest)
  )
}

async function take(client: StreamClient, count: number): Promise<string[]> {
  const messages: Received[] = []
  while (messages.length < count) messages.push(await client.next())
  return inShort(messages)
}

test('a session outlives its socket, and goes on as if nothing had happened', async () => {
  const { engine, url } = await setup()
  const first = await openStream(url, resumable)
  expect(first.ready.limits.graceMs).toBe(60_000)
  for (const seq of [0, 1]) first.send(frame(seq))
  expect(await take(first, 2)).toEqual(expected(2))
  engine.hold()
  for (const seq of [2, 3]) first.send(frame(seq))
  first.send({ type: 'ping' })
  await first.expect('pong')
  first.ws.terminate()
  engine.resume()

  const second = await resume(url, placeOf(first, 1))
  const ready = await second.expect('ready')
  expect(ready).toMatchObject({ session: first.ready.session, resumed: { continuity: 'exact', after: 3 } })
  expect(ready.resumeToken).not.toBe(first.ready.resumeToken)
  second.send(frame(4))
  expect(await take(second, 3)).toEqual(expected(5, 2))
  expect(engine.sessions.size).toBe(1)
})

test('what the latent cache has seen is said in ready and in flushed, and a client can check it', async () => {
  const { url } = await setup()
  const first = await openStream(url, resumable)
  for (const seq of [0, 1, 2]) first.send(frame(seq))
  first.send({ type: 'flush' })
  await take(first, 3)
  const digest = digestOf(3)
  expect(await first.expect('flushed')).toMatchObject({ seq: 2, digest })
  first.ws.terminate()
  const second = await resume(url, placeOf(first, 0))
  const { resumed } = await second.expect('ready')
  expect(resumed).toMatchObject({ continuity: 'exact', seq: 2, after: 2, digest })
})

test('outcomes that were sent and not received come again, those received do not', async () => {
  const { url } = await setup()
  const first = await openStream(url, resumable)
  for (const seq of [0, 1, 2, 3]) first.send(frame(seq))
  await take(first, 4)
  first.send({ type: 'ack', seq: 1 })
  first.ws.terminate()
  const second = await resume(url, placeOf(first, 1))
  await second.expect('ready')
  expect(await take(second, 2)).toEqual(expected(4, 2))
})

test('a client that did not ask for it leaves nothing behind, and cannot come back', async () => {
  const { engine, url } = await setup()
  const client = await openStream(url, { delivery: 'lossless' })
  expect(client.ready.limits.graceMs).toBe(0)
  client.ws.terminate()
  await eventually(() => engine.sessions.size).toBe(0)
  const again = await resume(url, placeOf(client, -1))
  expect(await again.expect('error')).toMatchObject({ code: 'SESSION_UNKNOWN', temporary: false })
  expect(await again.closed).toEqual({ code: 4590, reason: 'SESSION_UNKNOWN' })
})

test('where the operator keeps no sessions, asking for it changes nothing', async () => {
  const { engine, url } = await setup({ graceMs: 0 })
  const client = await openStream(url, resumable)
  expect(client.ready.limits.graceMs).toBe(0)
  client.ws.terminate()
  await eventually(() => engine.sessions.size).toBe(0)
})

test('a socket that its client closes with 1000 ends the session, any other end keeps it', async () => {
  const { engine, url } = await setup()
  const leaving = await openStream(url, resumable)
  leaving.ws.close(1000)
  await eventually(() => engine.sessions.size).toBe(0)
  const reloading = await openStream(url, resumable)
  reloading.ws.close(1001)
  await reloading.closed
  await (await resume(url, placeOf(reloading, -1))).expect('ready')
  expect(engine.sessions.size).toBe(1)
})

test('a session that nobody comes back to is freed after its grace', async () => {
  const { engine, url } = await setup({ graceMs: 300 })
  const client = await openStream(url, resumable)
  client.ws.terminate()
  await client.closed
  await eventually(() => engine.sessions.size).toBe(0)
  const again = await resume(url, placeOf(client, -1))
  expect(await again.expect('error')).toMatchObject({ code: 'SESSION_UNKNOWN' })
})

test.each([
  ['another session', { session: 's_nobody' }],
  ['another token', { token: 'guessed' }],
  ['no token', { token: '' }]
])('%s is refused with the same words', async (_what, change) => {
  const { url } = await setup()
  const client = await openStream(url, resumable)
  const stranger = await resume(url, { ...placeOf(client, -1), ...change })
  const { detail, code } = await stranger.expect('error')
  const absent = await resume(url, { ...placeOf(client, -1), session: 's_none', token: 'none' })
  expect(await absent.expect('error')).toMatchObject({ code, detail })
  client.send(frame(0))
  expect(await take(client, 1)).toEqual(expected(1))
})

test('a resume that also wishes is refused by the name of the wish', async () => {
  const { url } = await setup()
  const client = await openStream(url, resumable)
  const again = await resume(url, placeOf(client, -1), { model: 'other' })
  expect(await again.expect('error')).toMatchObject({
    code: 'CONFIG_INVALID',
    detail: expect.stringContaining('/model')
  })
})

test('the newest socket wins: the older one is told so, and what it still sends is nobody’s', async () => {
  const { url } = await setup()
  const first = await openStream(url, resumable)
  first.send(frame(0))
  await take(first, 1)
  const second = await resume(url, placeOf(first, 0))
  await second.expect('ready')
  expect(await first.expect('error')).toMatchObject({ code: 'SESSION_REPLACED', temporary: false })
  expect(await first.closed).toEqual({ code: 4509, reason: 'SESSION_REPLACED' })
  second.send(frame(1))
  expect(await take(second, 1)).toEqual(expected(2, 1))
})

test('a ready that is lost with its socket costs nothing: the token before it still holds', async () => {
  const { url } = await setup()
  const first = await openStream(url, resumable)
  first.ws.terminate()
  for (let i = 0; i < 3; i++) {
    const unheard = await resume(url, placeOf(first, -1))
    await unheard.expect('ready')
    unheard.ws.terminate()
  }
  const second = await resume(url, placeOf(first, -1))
  const ready = await second.expect('ready')
  second.send(frame(0))
  expect(await take(second, 1)).toEqual(expected(1))
  // From the first message under the new token on, only that one holds.
  const late = await resume(url, placeOf(first, -1))
  expect(await late.expect('error')).toMatchObject({ code: 'SESSION_UNKNOWN' })
  const third = await resume(url, { ...placeOf({ ready }, 0), epoch: 0 })
  expect(await third.expect('ready')).toMatchObject({ resumed: { after: 0 } })
})

test('two that resume at once: one has the session, and it works', async () => {
  const { url } = await setup()
  const first = await openStream(url, resumable)
  first.ws.terminate()
  const rivals = await Promise.all([1, 2].map(() => resume(url, placeOf(first, -1))))
  const heard = await Promise.all(rivals.map((rival) => rival.next()))
  const ends = await Promise.race(
    rivals.map(async (rival, i) => {
      const { code } = await rival.closed
      return { code, other: rivals[1 - i] ?? expect.fail('no rival') }
    })
  )
  expect([4509, 4590]).toContain(ends.code)
  expect(heard.some(({ type }) => type === 'ready')).toBe(true)
  ends.other.send(frame(0))
  const messages = [...heard.filter(({ type }) => type !== 'ready'), await ends.other.next()]
  expect(inShort(messages).at(-1)).toEqual(expected(1)[0])
})

test('a client that detaches is told for how long, and finds what was made meanwhile', async () => {
  const { engine, url } = await setup()
  const first = await openStream(url, resumable)
  engine.hold()
  for (const seq of [0, 1]) first.send(frame(seq))
  first.send({ type: 'detach' })
  expect(await first.expect('detached')).toEqual({ type: 'detached', graceMs: 60_000 })
  expect(await first.closed).toEqual({ code: 1000, reason: '' })
  engine.resume()
  const second = await resume(url, placeOf(first, -1))
  expect(await second.expect('ready')).toMatchObject({ resumed: { continuity: 'exact', after: 1 } })
  expect(await take(second, 2)).toEqual(expected(2))
})

test('a plain client that detaches hears that nothing is kept', async () => {
  const { engine, url } = await setup()
  const client = await openStream(url)
  client.send({ type: 'detach' })
  expect(await client.expect('detached')).toEqual({ type: 'detached', graceMs: 0 })
  await eventually(() => engine.sessions.size).toBe(0)
})

test('a close waits until the last outcome is acknowledged, so that none is lost with the socket', async () => {
  const { engine, url } = await setup()
  const first = await openStream(url, resumable)
  for (const seq of [0, 1]) first.send(frame(seq))
  first.send({ type: 'close' })
  await take(first, 2)
  first.ws.terminate()
  const second = await resume(url, placeOf(first, 0))
  await second.expect('ready')
  second.send({ type: 'close' })
  expect(await take(second, 1)).toEqual(expected(2, 1))
  second.send({ type: 'ping' })
  await second.expect('pong')
  expect(engine.sessions.size).toBe(1)
  second.send({ type: 'ack', seq: 1 })
  expect(await second.expect('summary')).toMatchObject({ frames: 1, results: 1, drops: 0, errors: 0 })
  expect(await second.closed).toMatchObject({ code: 1000 })
  expect(engine.sessions.size).toBe(0)
})

test('what was not sent yet is not acknowledged by a higher seq', async () => {
  const { engine, url } = await setup()
  const first = await openStream(url, { ...resumable, credit: 1 })
  for (const seq of [0, 1, 2]) first.send(frame(seq))
  await take(first, 1)
  first.send({ type: 'ack', seq: 1000 })
  first.send({ type: 'ping' })
  await first.expect('pong')
  first.ws.terminate()
  const second = await resume(url, placeOf(first, 0))
  await second.expect('ready')
  expect(await take(second, 2)).toEqual(expected(3, 1))
  expect(engine.sessions.size).toBe(1)
})

test('after a resume a client still has no more frames on their way than maxInFlight', async () => {
  const { engine, url } = await setup()
  const first = await openStream(url, resumable)
  const { maxInFlight } = first.ready.limits
  engine.hold()
  for (let seq = 0; seq < maxInFlight - 1; seq++) first.send(frame(seq))
  first.send({ type: 'ping' })
  await first.expect('pong')
  first.ws.terminate()
  const second = await resume(url, placeOf(first, -1))
  await second.expect('ready')
  for (let seq = maxInFlight - 1; seq < maxInFlight + 1; seq++) second.send(frame(seq))
  second.send({ type: 'ping' })
  await second.expect('pong')
  engine.resume()
  const told = await take(second, maxInFlight + 1)
  expect(told.slice(0, -1)).toEqual(expected(maxInFlight))
  expect(told.at(-1)).toBe(`error ${maxInFlight}`)
})

test('frames that the session has already are out of order after a resume too', async () => {
  const { url } = await setup()
  const first = await openStream(url, resumable)
  for (const seq of [0, 1]) first.send(frame(seq))
  await take(first, 2)
  first.ws.terminate()
  const second = await resume(url, placeOf(first, 1))
  await second.expect('ready')
  second.send(frame(1))
  expect(await second.expect('error')).toMatchObject({ code: 'FRAME_OUT_OF_ORDER' })
})

test('a failure of the client’s own ends the session too', async () => {
  const { engine, url } = await setup()
  const first = await openStream(url, resumable)
  first.send(new Uint8Array(10))
  expect(await first.expect('error')).toMatchObject({ code: 'FRAME_MALFORMED' })
  await first.closed
  await eventually(() => engine.sessions.size).toBe(0)
  const again = await resume(url, placeOf(first, -1))
  expect(await again.expect('error')).toMatchObject({ code: 'SESSION_UNKNOWN' })
})

test('a refused frame keeps its place among the others over a resume', async () => {
  const { engine, url } = await setup()
  const first = await openStream(url, resumable)
  engine.hold()
  first.send(frame(0))
  first.send(testFrame(1, new Uint8Array(0)).message)
  first.send(frame(2))
  first.send({ type: 'ping' })
  await first.expect('pong')
  first.ws.terminate()
  engine.resume()
  const second = await resume(url, placeOf(first, -1))
  await second.expect('ready')
  const told = await take(second, 3)
  expect(told.map((one) => one.split(' ').slice(0, 2).join(' '))).toEqual(['result 0', 'error 1', 'result 2'])
})

test('a server that has no other beside it says that it stops, and leaves no session behind', async () => {
  const { app, engine, sessions, url } = await setup()
  const client = await openStream(url, resumable)
  await app.close()
  expect(await client.expect('error')).toMatchObject({ code: 'DRAINING' })
  expect(await client.closed).toEqual({ code: 4441, reason: 'DRAINING' })
  await sessions.close()
  expect(engine.sessions.size).toBe(0)
})
