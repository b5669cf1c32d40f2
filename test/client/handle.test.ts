import { expect, onTestFinished, test } from 'vitest'
import type { DepthStream, Outcome, StreamHandle, StreamOptions } from '../../src/client/index.ts'
import { connectStream } from '../../src/client/index.ts'
import { testApp } from '../helpers/build-app.ts'
import { eventually } from '../helpers/eventually.ts'
import { HashEngine, expectedChain, testFrame } from '../helpers/hash-engine.ts'

async function setup() {
  const engine = new HashEngine()
  const { listen } = await testApp({ config: { defaultModel: 'hash' }, engine })
  const url = await listen()
  const open = async (options: Partial<StreamOptions>): Promise<DepthStream> => {
    const stream = await connectStream({ url, ...options })
    onTestFinished(() => stream.abort())
    return stream
  }
  return { engine, open }
}

const payload = (i: number) => Uint8Array.of(1, 2, i)
const send = (stream: DepthStream, i: number) => stream.send({ data: payload(i), codec: 'jpeg' })

/** As it comes out of where an application keeps it. */
const kept = (handle: StreamHandle) => JSON.parse(JSON.stringify(handle)) as StreamHandle

async function collect(stream: DepthStream, count = Infinity): Promise<Outcome[]> {
  const all: Outcome[] = []
  for await (const outcome of stream.outcomes) if (all.push(outcome) === count) break
  return all
}

const hashes = (outcomes: readonly Outcome[]) =>
  outcomes.map((outcome) =>
    outcome.type === 'result' ? Buffer.from(outcome.payload).toString('hex') : outcome.type
  )

test('a session that was detached goes on elsewhere, exactly, with the outcomes that were on their way', async () => {
  const { engine, open } = await setup()
  const first = await open({ config: { delivery: 'lossless' } })
  for (let i = 0; i < 3; i++) await send(first, i)
  await first.flush()
  engine.hold()
  for (let i = 3; i < 6; i++) await send(first, i)
  const flushed = expect(first.flush()).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
  const handle = await first.detach()
  expect(handle).toMatchObject({ seq: 2, delivery: 'lossless', session: first.ready.session })
  await flushed
  await expect(send(first, 6)).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
  expect(() => first.reset()).not.toThrow()
  await expect(first.detach()).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
  // What came before stays readable, and then there is nothing.
  const before = await collect(first)
  expect(before.map(({ seq }) => seq)).toEqual([0, 1, 2])

  const second = await open({ resume: kept(handle) })
  expect(second.ready.session).toBe(first.ready.session)
  expect(second.ready.resumed).toMatchObject({ continuity: 'exact', after: 5 })
  engine.resume()
  expect(await send(second, 6)).toBe(6)
  await second.flush()
  const summary = await second.close()
  const after = await collect(second)
  expect(after.map(({ seq }) => seq)).toEqual([3, 4, 5, 6])
  expect(summary).toMatchObject({ frames: 4, results: 4 })
  const sent = Array.from({ length: 7 }, (_, i) => testFrame(i, payload(i)))
  expect(hashes([...before, ...after])).toEqual(expectedChain(sent))
  expect(engine.sessions.size).toBe(0)
})

test('frames of the first stream count for how many may be on their way', async () => {
  const { engine, open } = await setup()
  const first = await open({ config: { delivery: 'lossless' } })
  const { maxInFlight } = first.ready.limits
  engine.hold()
  for (let i = 0; i < maxInFlight; i++) await send(first, i)
  const second = await open({ resume: await first.detach() })
  let isSent = false
  const sending = send(second, maxInFlight).then(() => (isSent = true))
  // Whatever might have been sent by then has been.
  await new Promise((resolve) => setImmediate(resolve))
  expect(isSent).toBe(false)
  engine.resume()
  await sending
  const outcomes = collect(second)
  await second.close()
  expect((await outcomes).map(({ type, seq }) => `${type} ${seq}`)).toEqual(
    Array.from({ length: maxInFlight + 1 }, (_, i) => `result ${i}`)
  )
})

test('nothing waits for frames that the first stream left out, and each has one outcome with one of both', async () => {
  const { engine, open } = await setup()
  const first = await open({ config: { delivery: 'latest' } })
  engine.hold()
  for (let i = 0; i < 40; i++) await send(first, i)
  const handle = await first.detach()
  const second = await open({ resume: handle })
  engine.resume()
  const seq = await send(second, 99)
  expect(seq).toBeGreaterThanOrEqual(1)
  const outcomes = collect(second)
  await second.flush()
  await second.close()
  const seqs = (await outcomes).map((outcome) => outcome.seq)
  expect(seqs.at(-1)).toBe(seq)
  const both = [...(await collect(first)).map((outcome) => outcome.seq), ...seqs]
  expect(both.toSorted((a, b) => a - b)).toEqual(Array.from({ length: seq + 1 }, (_, i) => i))
})

test('whoever has the handle has the session, also of a stream that never said a word of leaving', async () => {
  const { open } = await setup()
  const first = await open({ config: { delivery: 'lossless' } })
  await send(first, 0)
  await first.flush()
  const failed = collect(first)
  failed.catch(() => undefined)
  const second = await open({ resume: kept(first.handle) })
  await expect(failed).rejects.toMatchObject({ code: 'SESSION_REPLACED' })
  expect(second.ready.resumed?.continuity).toBe('exact')
  expect(await send(second, 1)).toBe(1)
  const [outcome] = await collect(second, 1)
  expect(hashes([outcome!])).toEqual(
    expectedChain([testFrame(0, payload(0)), testFrame(1, payload(1))]).slice(1)
  )
  // The former handle is spent.
  await second.close()
  await expect(open({ resume: second.handle })).rejects.toMatchObject({ code: 'SESSION_UNKNOWN' })
})

test('a stream that was resumed by its handle outlives its own sockets as well', async () => {
  const { open, engine } = await setup()
  const first = await open({ config: { delivery: 'lossless' } })
  await send(first, 0)
  const second = await open({ resume: await first.detach() })
  await send(second, 1)
  const third = await open({ resume: await second.detach() })
  expect(await send(third, 2)).toBe(2)
  await third.flush()
  const outcomes = collect(third)
  await third.close()
  const all = await outcomes
  expect(all.at(-1)).toMatchObject({ type: 'result', seq: 2 })
  expect(hashes(all)).toEqual(
    expectedChain(Array.from({ length: 3 }, (_, i) => testFrame(i, payload(i)))).slice(3 - all.length)
  )
  await eventually(() => engine.sessions.size).toBe(0)
})

test('what cannot be detached or resumed says so', async () => {
  const { open } = await setup()
  const fleeting = await open({ resumable: false })
  await expect(fleeting.detach()).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
  // It is as it was.
  expect(await send(fleeting, 0)).toBe(0)
  const handle = { session: 'session_none', token: 'none', seq: -1, epoch: 0, delivery: undefined }
  await expect(open({ resume: handle, config: {} })).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
  await expect(open({ resume: handle })).rejects.toMatchObject({ code: 'SESSION_UNKNOWN' })
})
