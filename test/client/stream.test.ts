import { expect, onTestFinished, test } from 'vitest'
import type { ConnectionEvent, DepthStream, Outcome, StreamOptions } from '../../src/client/index.ts'
import { connectStream } from '../../src/client/index.ts'
import type { SessionConfig } from '../../src/session.ts'
import { testApp } from '../helpers/build-app.ts'
import { eventually } from '../helpers/eventually.ts'
import { HashEngine, expectedChain, testFrame } from '../helpers/hash-engine.ts'
import { Received } from '../helpers/received.ts'

interface Setup {
  url: string
  engine: HashEngine
  open(config?: SessionConfig, options?: Partial<StreamOptions>): Promise<DepthStream>
}

/** The real gateway and sessions; the engine answers with a hash of all it saw, and can be held. */
async function setup(): Promise<Setup> {
  const engine = new HashEngine()
  const { listen } = await testApp({ config: { defaultModel: 'hash' }, engine })
  const url = await listen()
  return {
    url,
    engine,
    async open(config = { delivery: 'lossless' }, options = {}) {
      const stream = await connectStream({ url, config, ...options })
      onTestFinished(() => stream.abort())
      return stream
    }
  }
}

const payload = (i: number) => Uint8Array.of(1, 2, i)
const send = (stream: DepthStream, i: number) => stream.send({ data: payload(i), codec: 'jpeg' })

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

test('every frame comes back as depth, in order, and the engine saw each of them once', async () => {
  const { open } = await setup()
  const stream = await open()
  const results = collect(stream.results)
  for (let i = 0; i < 200; i++) expect(await send(stream, i)).toBe(i)
  const summary = await stream.close()
  expect(summary).toMatchObject({ frames: 200, results: 200, drops: 0, errors: 0 })
  const found = await results
  expect(found.map(({ seq }) => seq)).toEqual(Array.from({ length: 200 }, (_, i) => i))
  const sent = Array.from({ length: 200 }, (_, i) => testFrame(i, payload(i)))
  expect(found.map((result) => Buffer.from(result.payload).toString('hex'))).toEqual(expectedChain(sent))
  expect(found.every(({ latencyMs }) => latencyMs > 0)).toBe(true)
  expect(stream.unsettled).toBe(0)
})

test('ready tells what the server settled on', async () => {
  const stream = await (await setup()).open()
  expect(stream.ready).toMatchObject({ type: 'ready', model: 'hash', mode: 'ovda', cacheSize: 8 })
})

test('the time stamp of a frame comes back with its depth', async () => {
  const stream = await (await setup()).open()
  await stream.send({ data: payload(0), codec: 'jpeg', timestampUs: 123_456_789 })
  await stream.close()
  expect((await collect(stream.results)).map(({ header }) => header.timestampUs)).toEqual([123_456_789])
})

test('lossless: sending waits while the server has no room, and nothing is refused', async () => {
  const { engine, open } = await setup()
  const stream = await open()
  const { maxInFlight } = stream.ready.limits
  engine.hold()
  const sent: number[] = []
  const sending = Array.from({ length: maxInFlight + 5 }, (_, i) =>
    send(stream, i).then((seq) => sent.push(seq))
  )
  await Promise.all(sending.slice(0, maxInFlight))
  expect([sent.length, stream.unsettled]).toEqual([maxInFlight, maxInFlight])
  engine.resume()
  const results = collect(stream.results)
  await Promise.all(sending)
  await stream.close()
  expect(await results).toHaveLength(maxInFlight + 5)
  expect(sent).toEqual([...sent].sort((a, b) => a - b))
})

test('results that nobody reads stay at the server, which stops taking frames', async () => {
  const stream = await (await setup()).open({ delivery: 'lossless' }, { readAhead: 3 })
  const { maxInFlight } = stream.ready.limits
  for (let i = 0; i < maxInFlight + 3; i++) await send(stream, i)
  expect(stream.unsettled).toBe(maxInFlight)
  const reader = stream.results[Symbol.asyncIterator]()
  const blocked = send(stream, maxInFlight + 3)
  expect((await reader.next()).value).toMatchObject({ seq: 0 })
  expect(await blocked).toBe(maxInFlight + 3)
})

test('closing brings every outcome even if nothing was read, and they can be read afterwards', async () => {
  const stream = await (await setup()).open({ delivery: 'lossless' }, { readAhead: 1 })
  for (let i = 0; i < 20; i++) await send(stream, i)
  expect(await stream.close()).toMatchObject({ frames: 20, results: 20 })
  expect(await collect(stream.results)).toHaveLength(20)
})

test('flush resolves once the frames before it have their outcome', async () => {
  const stream = await (await setup()).open({ delivery: 'lossless' }, { readAhead: 1 })
  for (let i = 0; i < 10; i++) await send(stream, i)
  await stream.flush()
  expect(stream.unsettled).toBe(0)
  await send(stream, 10)
  await stream.close()
  expect(await collect(stream.results)).toHaveLength(11)
})

test('an update resolves once the frames before it have their outcome, and holds for those behind it', async () => {
  const { open, engine } = await setup()
  const stream = await open()
  engine.hold()
  await send(stream, 0)
  let isUpdated = false
  const updated = stream.update({ format: 'jpeg' }).then(() => (isUpdated = true))
  await send(stream, 1)
  const output = () => engine.sessions.get(stream.ready.session)?.output.format
  await eventually(() => engine.sessions.get(stream.ready.session)?.waiting.length).toBe(3)
  expect([isUpdated, output()]).toEqual([false, 'u16'])
  engine.resume()
  await updated
  expect(output()).toBe('jpeg')
  expect(await stream.close()).toMatchObject({ frames: 2, results: 2 })
  await expect(stream.update({})).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
})

test('an update that cannot be ends the stream with what is wrong', async () => {
  const stream = await (await setup()).open()
  const refused = { code: 'CONFIG_INVALID', message: expect.stringContaining('refine is true') }
  await expect(stream.update({ refine: true })).rejects.toMatchObject(refused)
})

test('after a reset the next depth map belongs to a new epoch', async () => {
  const stream = await (await setup()).open()
  await send(stream, 0)
  stream.reset()
  await send(stream, 1)
  await stream.close()
  expect((await collect(stream.results)).map(({ header }) => header.epoch)).toEqual([0, 1])
})

test('a lossless sender that never reads is told once why it waits, and goes on when somebody reads', async () => {
  const events = new Received<ConnectionEvent>()
  const { open } = await setup()
  const options = { readAhead: 2, onConnection: events.push }
  const stream = await open({ delivery: 'lossless' }, options)
  const count = stream.ready.limits.maxInFlight + 5
  const sending = (async () => {
    for (let i = 0; i < count; i++) await send(stream, i)
    return stream.close()
  })()
  await events.until((all) => all.length > 0)
  expect(events.all).toEqual([{ type: 'held', unsettled: stream.ready.limits.maxInFlight }])
  expect(await collect(stream.results)).toHaveLength(count)
  expect(await sending).toMatchObject({ results: count })
  expect(events.all).toHaveLength(1)
})

test('latest: unread depth maps are replaced, and each frame still has exactly one outcome', async () => {
  const stream = await (await setup()).open({ delivery: 'latest' })
  for (let i = 0; i < 50; i++) await send(stream, i)
  const summary = await stream.close()
  const outcomes = await collect(stream.outcomes)
  expect(outcomes.map(({ seq }) => seq)).toEqual(Array.from({ length: 50 }, (_, i) => i))
  const count = (type: Outcome['type']) => outcomes.filter((outcome) => outcome.type === type).length
  expect(summary).toMatchObject({ frames: 50, results: count('result'), drops: count('drop'), errors: 0 })
  expect(count('result')).toBeGreaterThan(0)
})

test('a frame that cannot be right fails alone, with the server’s code', async () => {
  const stream = await (await setup()).open()
  await send(stream, 0)
  await stream.send({ data: new Uint8Array(5), codec: 'rgb24', width: 4, height: 4 })
  await send(stream, 2)
  await stream.close()
  const outcomes = await collect(stream.outcomes)
  expect(outcomes.map(({ type }) => type)).toEqual(['result', 'error', 'result'])
  expect(outcomes[1]).toMatchObject({ error: { code: 'FRAME_DECODE_FAILED' } })
})

test('a model that does not exist is refused with the server’s words', async () => {
  const { open } = await setup()
  await expect(open({ model: 'absent' })).rejects.toMatchObject({
    code: 'MODEL_UNKNOWN',
    message: expect.stringContaining('absent') as string
  })
})

test('a server that is not there is named', async () => {
  await expect(connectStream({ url: 'ws://127.0.0.1:1' })).rejects.toMatchObject({
    code: 'CONNECTION_LOST',
    message: expect.stringMatching(/^ws:\/\/127\.0\.0\.1:1 cannot be reached.*ECONNREFUSED/) as string
  })
})

test('a flush after close resolves once the stream has ended', async () => {
  const stream = await (await setup()).open({ delivery: 'lossless' }, { readAhead: 1 })
  for (let i = 0; i < 5; i++) await send(stream, i)
  const closed = stream.close()
  await stream.flush()
  expect(stream.unsettled).toBe(0)
  await closed
})

test('closing twice gives the same summary, and nothing can be sent afterwards', async () => {
  const stream = await (await setup()).open()
  const [first, second] = await Promise.all([stream.close(), stream.close()])
  expect(second).toBe(first)
  await expect(send(stream, 0)).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
  stream.abort()
  expect(await stream.close()).toBe(first)
})

test('aborting by signal fails what is on its way and frees the session', async () => {
  const { engine, open } = await setup()
  const controller = new AbortController()
  const stream = await open({ delivery: 'lossless' }, { signal: controller.signal })
  engine.hold()
  await send(stream, 0)
  const outcomes = collect(stream.outcomes)
  controller.abort()
  await expect(outcomes).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
  await expect.poll(() => engine.sessions.size).toBe(0)
})

test('a signal that is aborted already opens nothing', async () => {
  const { url, engine } = await setup()
  const reason = new Error('changed my mind')
  await expect(connectStream({ url, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  expect(engine.sessions.size).toBe(0)
})
