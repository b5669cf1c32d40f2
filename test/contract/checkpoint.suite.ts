import { describe, expect, onTestFinished, test } from 'vitest'
import { connectStream } from '../../src/client/index.ts'
import type { ConnectionEvent, DepthStream, StreamOptions } from '../../src/client/index.ts'
import { packContext, unpackContext } from '../../src/wire/context-bytes.ts'
import { contextParts } from '../../src/wire/context-parts.ts'
import type { FrameEngine } from '../../src/frame-engine.ts'
import { eventually } from '../helpers/eventually.ts'
import { expectedChain, HashEngine, testFrame } from '../helpers/hash-engine.ts'
import { startLinkProxy } from '../helpers/link-proxy.ts'
import { connect } from '../helpers/stream-client.ts'

/** Servers that take streams. Whoever makes it closes it. */
export interface Server {
  url: string
  /** The same, by a worker that has none of the sessions so far. */
  elsewhere(engine: FrameEngine): Promise<string>
}

const maxContextBytes = 2 ** 20

/** What a session that goes on from a checkpoint promises, however gateways and workers are joined. */
export function checkpointSuite(
  name: string,
  start: (engine: FrameEngine, config: { maxContextBytes: number }) => Promise<Server>
): void {
  const setup = (engine = new HashEngine()) => start(engine, { maxContextBytes })

  describe(`checkpoints, ${name}`, () => {
    test('a stream goes on from one with another worker, header for header as if it were the first', async () => {
      const { url, elsewhere } = await setup()
      const first = await opened({ url })
      const before = await sendAll(first, 0, 5)
      const context = await first.checkpoint()
      const uninterrupted = await sendAll(first, 5, 5)
      const second = await opened({ url: await elsewhere(new HashEngine()), context })
      expect(second.ready.continued).toMatchObject({ continuity: 'exact', seq: 4 })
      expect(second.ready.session).not.toBe(first.ready.session)
      expect(await sendAll(second, 5, 5)).toEqual(uninterrupted)
      expect(chainOf([...before, ...uninterrupted])).toEqual(chain(10))
    })

    test('however long it was: the latent cache itself goes along', async () => {
      const { url, elsewhere } = await setup(new HashEngine(6400, { keepsFrames: 3 }))
      const first = await opened({ url })
      await sendAll(first, 0, 20)
      const context = await first.checkpoint()
      const uninterrupted = await sendAll(first, 20, 3)
      const second = await opened({ url: await elsewhere(new HashEngine()), context })
      expect(await sendAll(second, 20, 3)).toEqual(uninterrupted)
      const saved = await unpackContext(context)
      const lesser = await packContext({ ...saved, context: { ...saved.context, latents: null } })
      const third = await opened({ url: await elsewhere(new HashEngine()), context: lesser })
      expect(third.ready.continued).toEqual({ continuity: 'rebuilt', digest: null, seq: 19 })
    })

    test('one context is begun from as often as wished, and the streams know nothing of each other', async () => {
      const { url } = await setup()
      const first = await opened({ url })
      await sendAll(first, 0, 3)
      const context = await first.checkpoint()
      const forks = await Promise.all([1, 2, 3].map(() => opened({ url, context })))
      const [one, ...others] = await Promise.all(forks.map((fork, at) => sendAll(fork, 3 + 100 * at, 2)))
      expect(chainOf(one ?? [])).toEqual(chain(5).slice(3))
      for (const other of others) expect(chainOf(other)).not.toEqual(chainOf(one ?? []))
    })

    test('of a stream with nothing in it so far, and twice in a row', async () => {
      const { url } = await setup()
      const first = await opened({ url })
      const contexts = await Promise.all([first.checkpoint(), first.checkpoint()])
      for (const context of contexts) {
        const next = await opened({ url, context })
        expect(next.ready.continued?.seq).toBe(-1)
        expect(chainOf(await sendAll(next, 0, 2))).toEqual(chain(2))
      }
    })

    test('a checkpoint that a socket takes along comes over the next one', async () => {
      const { url } = await setup()
      const proxy = await startLinkProxy(Number(new URL(url).port))
      onTestFinished(() => proxy.stop())
      const events: ConnectionEvent[] = []
      const first = await opened({
        url: `http://127.0.0.1:${proxy.port}`,
        onConnection: (event) => void events.push(event)
      })
      await sendAll(first, 0, 4, 5000)
      for (const bytes of [100, 3000, 15_000]) {
        proxy.cutAfter(bytes)
        const context = await first.checkpoint()
        const { seq } = await unpackContext(context)
        expect(seq).toBe(3)
      }
      expect(events.filter(({ type }) => type === 'resumed').length).toBe(3)
    })

    test('close waits for a checkpoint that was asked for', async () => {
      const { url } = await setup()
      const first = await opened({ url })
      await sendAll(first, 0, 3)
      const saving = first.checkpoint()
      await first.close()
      expect((await unpackContext(await saving)).seq).toBe(2)
      await expect(first.checkpoint()).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
    })

    test('one that is too large fails alone, and one that is too large to take is refused', async () => {
      const { url } = await setup()
      const first = await opened({ url })
      await sendAll(first, 0, 3, maxContextBytes / 2)
      await expect(first.checkpoint()).rejects.toMatchObject({
        code: 'CONTEXT_TOO_LARGE',
        message: expect.stringContaining(String(maxContextBytes)) as string
      })
      await sendAll(first, 3, 1)
      const context = new Uint8Array(maxContextBytes + 1)
      await expect(opened({ url, context })).rejects.toMatchObject({ code: 'CONTEXT_TOO_LARGE' })
    })

    test('what is no context, or not of this session, is refused by name, and leaves nothing behind', async () => {
      const engine = new HashEngine()
      const { url } = await setup(engine)
      const first = await opened({ url })
      await sendAll(first, 0, 3)
      const context = await first.checkpoint()
      await first.close()
      const saved = await unpackContext(context)
      const invalid = (message: RegExp) => ({
        code: 'CONTEXT_INVALID',
        message: expect.stringMatching(message) as string
      })
      const changed = Uint8Array.from(context)
      changed[40]! ^= 1
      await expect(opened({ url, context: changed })).rejects.toMatchObject(invalid(/digest/))
      const newer = Uint8Array.from(context)
      newer[4] = 9
      await expect(opened({ url, context: newer })).rejects.toMatchObject(invalid(/version 9 is not 1/))
      const model = await packContext({ ...saved, origin: { ...saved.origin, model: 'other' } })
      await expect(opened({ url, context: model })).rejects.toMatchObject({ code: 'MODEL_UNKNOWN' })
      const weights = await packContext({
        ...saved,
        origin: { ...saved.origin, modelDigest: 'e'.repeat(64) }
      })
      await expect(opened({ url, context: weights })).rejects.toMatchObject(invalid(/digest eeee.*dddd/))
      const window = await packContext({ ...saved, origin: { ...saved.origin, mode: 'vda-window' } })
      await expect(opened({ url, context: window })).rejects.toMatchObject(invalid(/vda-window/))
      const wishes = [{ cacheSize: 4 }, { mode: 'single' as const }, { model: 'other' }]
      for (const wish of wishes)
        await expect(opened({ url, context, config: wish })).rejects.toMatchObject(
          invalid(/"config" asks for/)
        )
      await eventually(() => engine.sessions.size).toBe(0)
    })

    test('only its parts may come behind a config that announces a context, and all of them in order', async () => {
      const { url } = await setup()
      const first = await opened({ url })
      await sendAll(first, 0, 2)
      const context = await first.checkpoint()
      const [part = new Uint8Array()] = contextParts(context)
      const config = { type: 'config', context: { bytes: context.byteLength } }
      const late = contextParts(context)[0]!
      new DataView(late.buffer).setBigUint64(8, 5n, true)
      for (const wrong of [{ type: 'reset' }, testFrame(0, Uint8Array.of(1)).message, late]) {
        const client = await connect(url)
        client.send(config)
        client.send(wrong)
        expect(await client.expect('error')).toMatchObject({ code: 'CONTEXT_INVALID' })
        expect((await client.closed).code).toBe(4522)
      }
      const client = await connect(url)
      client.send({ ...config, context: { bytes: context.byteLength - 1 } })
      client.send(part)
      expect(await client.expect('error')).toMatchObject({
        code: 'CONTEXT_INVALID',
        detail: expect.stringMatching(/more came than was announced/) as string
      })
    })

    test('a second checkpoint before the first has its answer ends the stream', async () => {
      const engine = new HashEngine()
      const { url } = await setup(engine)
      const client = await connect(url)
      client.send({ type: 'config' })
      await client.expect('ready')
      engine.hold()
      client.send({ type: 'checkpoint', id: 'a' })
      client.send({ type: 'checkpoint', id: 'b' })
      expect(await client.expect('error')).toMatchObject({ code: 'FLOW_CONTROL' })
      engine.resume()
    })
  })
}

/** Closed when the test ends. */
async function opened(options: StreamOptions): Promise<DepthStream> {
  const stream = await connectStream({ ...options, config: { delivery: 'lossless', ...options.config } })
  onTestFinished(() => stream.abort())
  return stream
}

const payload = (seq: number, bytes: number) => new Uint8Array(bytes).fill(seq % 256, 1)

/** Frames that are told apart by their number; gives their depth maps. */
async function sendAll(stream: DepthStream, from: number, count: number, bytes = 9) {
  const maps: { header: object; depth: string }[] = []
  const reading = (async () => {
    for await (const { header, payload: depth } of stream.results) {
      maps.push({ header, depth: Buffer.from(depth).toString('hex') })
      if (maps.length === count) return
    }
  })()
  for (let number = from; number < from + count; number++)
    await stream.send({ data: payload(number, bytes), codec: 'jpeg', timestampUs: number })
  await reading
  return maps
}

const chainOf = (maps: { depth: string }[]): string[] => maps.map(({ depth }) => depth)

/** What the first frames must give. */
function chain(count: number): string[] {
  return expectedChain(Array.from({ length: count }, (_, seq) => testFrame(seq, payload(seq, 9))))
}
