import { setTimeout } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { connectStream } from '../../src/client/index.ts'
import type { ConnectionEvent } from '../../src/client/index.ts'
import { testApp } from '../helpers/build-app.ts'
import { eventually } from '../helpers/eventually.ts'
import { fakeEngine, stepGate } from '../helpers/fake-engine.ts'
import { greyFrame, greyPixels, openStream } from '../helpers/stream-client.ts'

const adaptive = { delivery: 'adaptive' } as const

/** A server whose network steps when the test says so, and then takes its time: faster than a camera nobody is slowed down. */
async function slowServer() {
  const gate = stepGate()
  const beforeStep: typeof gate.beforeStep = async (...step) => {
    await gate.beforeStep(...step)
    await setTimeout(20)
  }
  const { listen } = await testApp({ engine: fakeEngine({ beforeStep }) })
  return { url: await listen(), gate }
}

test('a client that asks for it is told how fast to send before any frame is dropped', async () => {
  const { url, gate } = await slowServer()
  const client = await openStream(url, adaptive)
  // Three frames that wait for one another, so that there is something to measure.
  gate.shut()
  for (const seq of [0, 1, 2]) client.send(greyFrame(seq))
  client.send({ type: 'ping' })
  expect(await client.next()).toEqual({ type: 'pong' })
  gate.open()
  for (const seq of [0, 1, 2]) expect((await client.expect('result')).header.seq).toBe(seq)
  gate.shut()
  client.send(greyFrame(3))
  client.send(greyFrame(4))
  expect(await client.next()).toEqual({ type: 'advice', fps: expect.any(Number), unsettled: 2 })
  gate.open()
  for (const seq of [3, 4]) expect((await client.expect('result')).header.seq).toBe(seq)
})

test('of more frames than may wait the newest is kept, and each has one outcome, in order', async () => {
  const { url, gate } = await slowServer()
  const client = await openStream(url, adaptive)
  expect(client.ready.limits.maxInFlight).toBe(4)
  gate.shut()
  for (let seq = 0; seq < 12; seq++) client.send(greyFrame(seq))
  client.send({ type: 'ping' })
  const early = await client.before('pong')
  gate.open()
  client.send({ type: 'close' })
  const outcomes = [...early, ...(await client.rest())].filter(
    ({ type }) => type === 'result' || type === 'drop'
  )
  const seqs = outcomes.map((one) => (one.type === 'result' ? one.header.seq : 'seq' in one && one.seq))
  expect(seqs).toEqual([...Array(12).keys()])
  expect(outcomes.map(({ type }) => type)).toEqual([
    ...Array(4).fill('result'),
    ...Array(7).fill('drop'),
    'result'
  ])
})

test.each(['latest', 'lossless'])('with %s nobody is advised', async (delivery) => {
  const { url, gate } = await slowServer()
  const client = await openStream(url, { delivery })
  for (const batch of [0, 3, 6]) {
    gate.shut()
    for (const seq of [0, 1, 2]) client.send(greyFrame(batch + seq))
    client.send({ type: 'ping' })
    gate.open()
  }
  client.send({ type: 'close' })
  expect((await client.rest()).map(({ type }) => type)).not.toContain('advice')
})

test('the SDK tells of the advice, and leaves frames out at their source while it holds', async () => {
  const { url, gate } = await slowServer()
  const events: ConnectionEvent[] = []
  const stream = await connectStream({
    url,
    config: adaptive,
    onConnection: (event) => void events.push(event)
  })
  onTestFinished(() => stream.abort())
  const outcomes: string[] = []
  const reading = (async () => {
    for await (const { type } of stream.outcomes) outcomes.push(type)
  })()
  const send = () => stream.send({ data: greyPixels(56, 42, 10), codec: 'rgb24', width: 56, height: 42 })
  const advised = () => events.some(({ type }) => type === 'advice')
  // Until the queue was seen, and measured: each time two frames wait for the first.
  for (let sent = 0; !advised(); sent += 3) {
    gate.shut()
    for (let n = 0; n < 3; n++) await send()
    gate.open()
    await eventually(() => outcomes.length).toBe(sent + 3)
  }
  const advice = events.find(({ type }) => type === 'advice')
  expect(advice).toMatchObject({ fps: expect.any(Number), unsettled: expect.any(Number) })
  const before = outcomes.length
  // As fast as a program can: faster than any advice.
  for (let n = 0; n < 300; n++) await send()
  await stream.close()
  await reading
  const since = outcomes.slice(before)
  expect(since).toHaveLength(300)
  expect(since.filter((type) => type === 'drop').length).toBeGreaterThan(0)
  expect(since.at(-1)).toBe('result')
})
