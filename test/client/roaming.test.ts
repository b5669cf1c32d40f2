import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { ConnectionEvent, Outcome } from '../../src/client/index.ts'
import { SocketStream } from '../../src/client/socket-stream.ts'
import type { Delivery } from '../../src/session.ts'
import { SimulatedServer } from './simulated-server.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

type Step =
  | { do: 'send' | 'reset' | 'flush' | 'goAway' }
  | { do: 'carry' | 'cut'; up: number; down: number }
  | { do: 'make' | 'refuse'; count: number }

const few = fc.nat(4)
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constant<Step>({ do: 'send' }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('carry' as const), up: few, down: few }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('make' as const), count: few }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('cut' as const), up: few, down: few }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('refuse' as const), count: few }) },
    { weight: 1, arbitrary: fc.constantFrom<Step>({ do: 'reset' }, { do: 'flush' }, { do: 'goAway' }) }
  ),
  { maxLength: 60 }
)

const tick = (ms = 50): Promise<false> => vi.advanceTimersByTimeAsync(ms).then(() => false)

/** A stream to a simulated server, and all that came of it. */
async function opened(delivery: Delivery, random: () => number) {
  const server = new SimulatedServer()
  const events: ConnectionEvent[] = []
  const stream = new SocketStream({
    dial: () => server.dial(),
    config: { delivery },
    ...{
      readAhead: 3,
      context: null,
      resume: undefined,
      isResumable: true,
      keepBytes: 1e6,
      replayBytes: 1e6,
      random
    },
    onConnection: (event) => void events.push(event)
  })
  const opening = stream.open(new AbortController().signal)
  await tick()
  server.carry(9, 9)
  await opening
  const outcomes: Outcome[] = []
  const reading = (async () => {
    for await (const outcome of stream.outcomes) outcomes.push(outcome)
  })()
  reading.catch(() => undefined)
  return { server, stream, events, outcomes, reading }
}

/** What the network must give for frames with these payloads, null being a reset. */
function chainOf(sent: readonly (number | null)[]): string[] {
  let chain: Buffer = Buffer.from('start')
  return sent.flatMap((value) => {
    chain =
      value === null
        ? Buffer.from('start')
        : createHash('sha256').update(chain).update(Uint8Array.of(value)).digest()
    return value === null ? [] : [chain.toString('hex')]
  })
}

async function play(delivery: Delivery, script: readonly Step[], random: () => number) {
  const made = await opened(delivery, random)
  const { server, stream } = made
  const sent: (number | null)[] = []
  const sending: Promise<number>[] = []
  const flushing: Promise<void>[] = []
  for (const step of script) {
    if (step.do === 'send') {
      const value = sending.length % 256
      sent.push(value)
      sending.push(stream.send({ data: Uint8Array.of(value), codec: 'jpeg' }))
    }
    if (step.do === 'reset') {
      await Promise.race([Promise.all(sending), tick()])
      // One that must wait for room is sent after the reset.
      if (stream.unsettled < 6) {
        sent.push(null)
        stream.reset()
      }
    }
    if (step.do === 'flush') flushing.push(stream.flush())
    if (step.do === 'carry') server.carry(step.up, step.down)
    if (step.do === 'cut') server.cut(step.up, step.down)
    if (step.do === 'make') server.make(step.count)
    if (step.do === 'refuse') server.refusals = step.count
    if (step.do === 'goAway') server.goAway()
    await tick()
  }
  const closing = Promise.all(sending).then(() => stream.close())
  closing.catch(() => undefined)
  const over = closing.then(
    () => true,
    () => true
  )
  // As long as it takes; no stream needs this many rounds.
  for (let round = 0; !(await Promise.race([over, tick()])); round++) {
    if (round === 500) throw new Error(`the stream does not end: ${JSON.stringify(made.events)}`)
    server.carry(100, 100)
    server.make(100)
  }
  return { ...made, sent, summary: await closing, flushed: await Promise.all(flushing) }
}

test('lossless: whatever breaks, every frame has its depth once, in order, and the cache saw each once', async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.nat(99), async (script, percent) => {
      const { outcomes, reading, sent, summary, events } = await play('lossless', script, () => percent / 100)
      await reading
      const found = outcomes.map((outcome) =>
        outcome.type === 'result' ? Buffer.from(outcome.payload).toString('hex') : outcome.type
      )
      expect(outcomes.map(({ seq }) => seq)).toEqual(outcomes.map((_, i) => i))
      expect(found).toEqual(chainOf(sent))
      expect(summary).toMatchObject({ frames: found.length, results: found.length, drops: 0, errors: 0 })
      const resumed = events.filter(({ type }) => type === 'resumed')
      expect(resumed.length).toBeGreaterThanOrEqual(events.some(({ type }) => type === 'lost') ? 1 : 0)
      expect(events.some(({ type }) => type === 'failed')).toBe(false)
    }),
    { numRuns: 500 }
  )
}, 120_000)

test('latest: whatever breaks, every frame has one outcome, in order, and the last one its depth', async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.nat(99), async (script, percent) => {
      const { outcomes, reading, sent } = await play('latest', script, () => percent / 100)
      await reading
      const numFrames = sent.filter((value) => value !== null).length
      expect(outcomes.map(({ seq }) => seq)).toEqual(Array.from({ length: numFrames }, (_, i) => i))
      expect(outcomes.every(({ type }) => type === 'result' || type === 'drop')).toBe(true)
      if (numFrames > 0) expect(outcomes.at(-1)?.type).toBe('result')
    }),
    { numRuns: 500 }
  )
}, 120_000)

const frame = { data: Uint8Array.of(1), codec: 'jpeg' } as const

test('a stream whose server is gone for longer than the grace fails, and says what was last tried', async () => {
  const { server, stream, events, reading } = await opened('lossless', () => 0.5)
  server.refusals = Infinity
  server.cut(0, 0)
  await tick(59_000)
  expect(events.map(({ type }) => type)).toEqual(['lost'])
  await tick(10_000)
  expect(events.at(-1)).toMatchObject({ type: 'failed', error: { message: 'nobody is there' } })
  await expect(reading).rejects.toMatchObject({ code: 'CONNECTION_LOST', message: 'nobody is there' })
  await expect(stream.send(frame)).rejects.toMatchObject({ message: 'nobody is there' })
  // At least 5 s apart on average once they are slow: no storm.
  expect(server.attempts).toBeLessThan(40)
})

test('a session that is gone fails the stream at once, with what the server says', async () => {
  const { server, events, reading } = await opened('lossless', () => 0)
  server.session = null
  server.cut(0, 0)
  await tick()
  server.carry(9, 9)
  await expect(reading).rejects.toMatchObject({ code: 'SESSION_UNKNOWN' })
  expect(events.map(({ type }) => type)).toEqual(['lost', 'failed'])
})

test('a server that is busy is asked again when it says, and not before', async () => {
  const { server, events } = await opened('lossless', () => 0)
  server.refusals = 1
  server.retryAfterMs = 3000
  server.cut(0, 0)
  await tick(2900)
  expect(server.attempts).toBe(2)
  await tick(200)
  server.carry(9, 9)
  expect(server.attempts).toBe(3)
  expect(events.at(-1)).toMatchObject({ type: 'resumed', attempts: 2, continuity: 'exact' })
})

test('a server that owes an answer and is silent is left for another socket', async () => {
  const { server, stream, events } = await opened('lossless', () => 0)
  await stream.send(frame)
  server.carry(9, 9)
  await tick(15_000)
  server.carry(9, 9)
  expect(events).toEqual([])
  await tick(15_000)
  expect(events).toMatchObject([{ type: 'lost', error: { message: expect.stringContaining('20000 ms') } }])
  server.carry(9, 9)
  expect(events.at(-1)).toMatchObject({ type: 'resumed' })
})

test('a stream that waits for nothing is silent for as long as it likes', async () => {
  const { server, events } = await opened('lossless', () => 0)
  await tick(600_000)
  server.carry(9, 9)
  expect(events).toEqual([])
})

test('a socket that brings nothing but ready counts as none: the grace ends such a stream', async () => {
  const { server, events, reading } = await opened('lossless', () => 0)
  for (let i = 0; i < 70 && !events.some(({ type }) => type === 'failed'); i++) {
    server.cut(1, 1)
    await tick(1000)
  }
  await expect(reading).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
})

test('moving away from a server that leaves stops nothing, and it may refuse for a while', async () => {
  const { server, stream, events, outcomes } = await opened('lossless', () => 0)
  server.refusals = 2
  server.goAway()
  server.carry(9, 9)
  await stream.send(frame)
  server.carry(9, 9)
  server.make(1)
  server.carry(9, 9)
  await tick()
  expect(outcomes.map(({ type }) => type)).toEqual(['result'])
  await tick(5000)
  server.carry(9, 9)
  expect(events).toMatchObject([{ type: 'goAway' }, { type: 'lost' }, { type: 'resumed', attempts: 3 }])
})

test('a stream that another connection took over ends, and does not take it back', async () => {
  const { server, events, reading } = await opened('lossless', () => 0)
  server.replace()
  await expect(reading).rejects.toMatchObject({ code: 'SESSION_REPLACED' })
  await tick(60_000)
  expect(server.attempts).toBe(1)
  expect(events.map(({ type }) => type)).toEqual(['failed'])
})

test('the past that the servers lost is sent again, marked, before anything else', async () => {
  const { server, stream, events } = await opened('lossless', () => 0)
  for (let i = 0; i < 40; i++) {
    await stream.send({ data: Uint8Array.of(i), codec: 'jpeg' })
    server.carry(9, 9)
    server.make(1)
    server.carry(9, 9)
    await tick(1)
  }
  await stream.send({ data: Uint8Array.of(40), codec: 'jpeg' })
  server.replay = { frames: 10, bytes: 1e6 }
  server.cut(0, 0)
  await tick()
  server.carry(1, 9)
  expect(events.at(-1)).toMatchObject({ type: 'resumed', replayed: 10, resent: 1 })
  expect(server.sent().slice(0, 12)).toEqual([
    ...Array.from({ length: 10 }, (_, i) => `history ${30 + i}`),
    'replayed',
    'frame 40'
  ])
})
