import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import WebSocket from 'ws'
import { flags } from '../../src/wire/frame.ts'
import { expectedDepths } from '../../src/inference/executors/fake/fake.ts'
import { testApp } from '../helpers/build-app.ts'
import { eventually } from '../helpers/eventually.ts'
import { fakeEngine, stepGate } from '../helpers/fake-engine.ts'
import type { Received } from '../helpers/stream-client.ts'
import { connect, greyFrame, greyPixels, openStream } from '../helpers/stream-client.ts'

const lossless = { delivery: 'lossless' } as const

/** One word a message: its type and what tells it apart. */
function inShort(messages: Received[]): string[] {
  return messages.map((message) => {
    if (message.type === 'result') return `result ${message.header.seq}`
    if (message.type === 'drop') return `drop ${message.seq} ${message.reason}`
    if (message.type === 'error') return `error ${message.seq ?? '-'} ${message.code}`
    return message.type
  })
}

test('a session is opened, fed and closed, and says what it was', async () => {
  const { listen } = await testApp()
  const client = await openStream(await listen(), lossless)
  expect(client.ready).toMatchObject({
    model: 'tiny',
    license: 'Apache-2.0',
    mode: 'ovda',
    cacheSize: 4,
    epoch: 1
  })
  for (const seq of [0, 1, 5]) client.send(greyFrame(seq))
  client.send({ type: 'close' })
  const messages = await client.rest()
  expect(inShort(messages)).toEqual(['result 0', 'result 1', 'result 5', 'summary'])
  expect(messages.at(-1)).toMatchObject({ frames: 3, results: 3, drops: 0, errors: 0 })
  expect(await client.closed).toEqual({ code: 1000, reason: '' })
})

test('a depth map is exactly what the network gives for this frame and all before it', async () => {
  const { listen } = await testApp()
  const client = await openStream(await listen(), { ...lossless, output: { format: 'f32' } })
  const plan = { mode: 'ovda', width: 42, height: 28 } as const
  const pixels = [10, 20, 30].map((level) => greyPixels(plan.width, plan.height, level))
  const expected = expectedDepths(pixels, plan)
  for (const [seq, level] of [10, 20, 30].entries()) {
    client.send(greyFrame(seq, plan.width, plan.height, level))
    const { header, payload } = await client.expect('result')
    expect(new Float32Array(new Uint8Array(payload).buffer)).toEqual(expected[seq])
    expect(header).toMatchObject({
      seq,
      width: plan.width,
      height: plan.height,
      quantity: 'relative-inverse-depth'
    })
    expect(header.flags & flags.first).toBe(seq === 0 ? flags.first : 0)
  }
})

test('two clients at once get the depth that each would get alone', async () => {
  const { listen } = await testApp()
  const url = await listen()
  const payloadsOf = async (level: number) => {
    const client = await openStream(url, { ...lossless, output: { format: 'f32' } })
    for (let seq = 0; seq < 6; seq++) client.send(greyFrame(seq, 42, 28, level + seq))
    client.send({ type: 'close' })
    const messages = await client.rest()
    return messages.map((message) =>
      message.type === 'result' ? Buffer.from(message.payload).toString('hex') : ''
    )
  }
  const together = await Promise.all([payloadsOf(10), payloadsOf(90)])
  expect(together).toEqual([await payloadsOf(10), await payloadsOf(90)])
  expect(together[0]).not.toEqual(together[1])
})

test('the client’s clock comes back untouched, and the worker’s times with it', async () => {
  const { listen } = await testApp()
  const client = await openStream(await listen())
  const message = greyFrame(7)
  new DataView(message.buffer).setBigUint64(16, 1_234_567_890_123n, true)
  client.send(message)
  expect((await client.expect('result')).header.timestampUs).toBe(1_234_567_890_123)
})

test('flushed follows the outcome of every frame before it, and pong does not wait', async () => {
  const gate = stepGate()
  const { listen } = await testApp({ engine: fakeEngine({ beforeStep: gate.beforeStep }) })
  const client = await openStream(await listen(), lossless)
  gate.shut()
  for (const seq of [0, 1]) client.send(greyFrame(seq))
  client.send({ type: 'flush', id: 'scene' })
  client.send({ type: 'ping', id: '7' })
  expect(await client.next()).toEqual({ type: 'pong', id: '7' })
  gate.open()
  expect(inShort([await client.next(), await client.next()])).toEqual(['result 0', 'result 1'])
  expect(await client.next()).toMatchObject({ type: 'flushed', id: 'scene', epoch: 1, seq: 1 })
})

test('a reset starts a new epoch for the frames sent after it', async () => {
  const { listen } = await testApp()
  const client = await openStream(await listen(), lossless)
  client.send(greyFrame(0))
  client.send({ type: 'reset' })
  client.send(greyFrame(1))
  expect((await client.expect('result')).header.epoch).toBe(1)
  expect(await client.next()).toMatchObject({ type: 'reset', epoch: 2, reason: 'client' })
  const { header } = await client.expect('result')
  expect(header).toMatchObject({ seq: 1, epoch: 2, flags: flags.first })
})

test('a frame of another size starts a new epoch by itself', async () => {
  const { listen } = await testApp()
  const client = await openStream(await listen(), lossless)
  client.send(greyFrame(0, 56, 42))
  client.send(greyFrame(1, 42, 56))
  expect((await client.expect('result')).header).toMatchObject({ seq: 0, epoch: 1, width: 42, height: 28 })
  expect(await client.next()).toEqual({ type: 'reset', epoch: 2, seq: 1, reason: 'resolution' })
  expect((await client.expect('result')).header).toMatchObject({ seq: 1, epoch: 2, width: 28, height: 42 })
})

test('with latest, frames that are overtaken are dropped, and each frame still has one outcome in order', async () => {
  const gate = stepGate()
  const { listen } = await testApp({ engine: fakeEngine({ beforeStep: gate.beforeStep }) })
  const client = await openStream(await listen())
  gate.shut()
  for (let seq = 0; seq < 20; seq++) client.send(greyFrame(seq))
  client.send({ type: 'ping' })
  // The first frame is overtaken as well where it was not yet decoded.
  const early = await client.before('pong')
  gate.open()
  client.send({ type: 'close' })
  const messages = [...early, ...(await client.rest())]
  const outcomes = messages.filter(({ type }) => type === 'result' || type === 'drop')
  const seqs = outcomes.map((message) =>
    message.type === 'result' ? message.header.seq : 'seq' in message && message.seq
  )
  expect(seqs).toEqual([...Array(20).keys()])
  expect(inShort(messages).at(-2)).toBe('result 19')
  const summary = messages.at(-1)
  expect(summary).toMatchObject({ type: 'summary', frames: 20, errors: 0 })
  expect(messages.filter(({ type }) => type === 'drop').length).toBeGreaterThan(0)
})

test('with latest, a depth map without credit is replaced by the next', async () => {
  const { listen } = await testApp()
  const client = await openStream(await listen(), { credit: 1 })
  for (let seq = 0; seq < 3; seq++) {
    client.send(greyFrame(seq))
    // One at a time, so that the engine itself has nothing to drop.
    if (seq === 0) await client.expect('result')
    if (seq === 2) expect(await client.next()).toMatchObject({ type: 'drop', seq: 1, reason: 'superseded' })
  }
  client.send({ type: 'credit', results: 1 })
  const { header } = await client.expect('result')
  expect(header).toMatchObject({ seq: 2, flags: flags.droppedBefore })
})

test('with lossless, a depth map without credit is kept and its frame stays in flight', async () => {
  const { listen } = await testApp()
  const client = await openStream(await listen(), { ...lossless, credit: 0 })
  const { maxInFlight } = client.ready.limits
  for (let seq = 0; seq <= maxInFlight; seq++) client.send(greyFrame(seq))
  client.send({ type: 'credit', results: maxInFlight })
  const messages: Received[] = []
  while (messages.length <= maxInFlight) messages.push(await client.next())
  const results = [...Array(maxInFlight).keys()].map((seq) => `result ${seq}`)
  expect(inShort(messages)).toEqual([...results, `error ${maxInFlight} FLOW_CONTROL`])
})

test('a lossless client that goes on beyond its limit is closed', async () => {
  const { listen } = await testApp()
  const client = await openStream(await listen(), { ...lossless, credit: 0 })
  const { maxInFlight } = client.ready.limits
  for (let seq = 0; seq <= maxInFlight + 1; seq++) client.send(greyFrame(seq))
  const messages = await client.rest()
  expect(inShort(messages).at(-1)).toBe('error - FLOW_CONTROL')
  expect(inShort(messages).slice(0, -1)).toEqual(
    [...Array(maxInFlight + 1).keys()].map((seq) => `drop ${seq} closed`)
  )
  expect(await client.closed).toEqual({ code: 4429, reason: 'FLOW_CONTROL' })
})

test('a client that just goes away frees its session for the next', async () => {
  const { sessionBytes } = fakeEngine().offer.models[0] ?? expect.fail('no model')
  const engine = fakeEngine({ capacityBytes: sessionBytes.ovda ?? 0 })
  const { listen } = await testApp({ engine })
  const url = await listen()
  // The largest window takes all there is.
  const first = await openStream(url, { cacheSize: 8 })
  const refused = await connect(url)
  refused.send({ type: 'config', cacheSize: 8 })
  expect(await refused.next()).toMatchObject({ type: 'error', code: 'NO_CAPACITY', temporary: true })
  expect(await refused.closed).toEqual({ code: 4453, reason: 'NO_CAPACITY' })
  first.ws.terminate()
  await eventually(() => engine.reservedBytes).toBe(0)
  await openStream(url, { cacheSize: 8 })
})

test('a server that shuts down says so to every stream and frees its sessions', async () => {
  const engine = fakeEngine()
  const { app, listen } = await testApp({ engine })
  const url = await listen()
  const streaming = await openStream(url)
  const silent = await connect(url)
  await app.close()
  for (const client of [streaming, silent]) {
    expect(await client.next()).toMatchObject({ type: 'error', code: 'DRAINING', temporary: true })
    expect(await client.closed).toEqual({ code: 4441, reason: 'DRAINING' })
  }
  expect(engine.reservedBytes).toBe(0)
})

test('a client without the subprotocol is refused before the upgrade, with the name it should have used', async () => {
  const { listen } = await testApp()
  const url = (await listen()).replace('http', 'ws')
  const ws = new WebSocket(`${url}/v1/stream`, 'graphql-ws')
  onTestFinished(() => ws.terminate())
  ws.on('error', () => undefined)
  const [, response] = (await once(ws, 'unexpected-response')) as [unknown, IncomingMessage]
  const problem = JSON.parse((await response.toArray()).join('')) as { code: string; detail: string }
  expect(response.statusCode).toBe(400)
  expect(response.headers['content-type']).toContain('application/problem+json')
  expect(problem.code).toBe('REQUEST_INVALID')
  expect(problem.detail).toMatch(/leadline\.v1.*graphql-ws/)
})

test('an ordinary GET is told to upgrade', async () => {
  const { app } = await testApp()
  const response = await app.inject('/v1/stream')
  expect(response.statusCode).toBe(426)
  expect(response.headers).toMatchObject({ upgrade: 'websocket', 'sec-websocket-version': '13' })
  expect(response.json()).toMatchObject({
    code: 'UPGRADE_REQUIRED',
    detail: expect.stringContaining('leadline.v1')
  })
})
