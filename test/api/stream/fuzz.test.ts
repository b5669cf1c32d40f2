import fc from 'fast-check'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Failures } from '../../../src/api/failures.ts'
import { Connection } from '../../../src/api/stream/connection.ts'
import { ContextRoom } from '../../../src/api/stream/context-arrival.ts'
import { StreamMeter } from '../../../src/api/stream/stream-meter.ts'
import { packContext } from '../../../src/wire/context-bytes.ts'
import { contextParts } from '../../../src/wire/context-parts.ts'
import { errorCodes, errorDefinition } from '../../../src/errors.ts'
import { decodeMessage, kinds } from '../../../src/wire/frame.ts'
import { parseServerMessage } from '../../../src/client/server-message.ts'
import type { EmbeddedSessions } from '../../../src/sessions/index.ts'
import { embeddedSessions } from '../../../src/sessions/index.ts'
import { HashEngine, hashModel } from '../../helpers/hash-engine.ts'
import { frameMessage } from '../../helpers/stream-client.ts'

/** In CI; a million shows more. */
const numMessages = Number(process.env.LEADLINE_TEST_MESSAGES ?? 20_000)
const maxSteps = 60
/** The same messages each time; another number, others. */
const seed = Number(process.env.LEADLINE_TEST_SEED ?? 1)

const log = pino({ level: 'silent' })
const failures = new Failures({ metrics: new Registry() })
const contexts = new ContextRoom(2 ** 16)
const engine = new HashEngine(1e9)
let sessions: EmbeddedSessions
beforeAll(async () => void (sessions = await embeddedSessions(engine, log, { graceMs: 300 })))
afterAll(() => sessions.close())

const closeCodes = new Set<number>([1000, ...errorCodes.map((code) => errorDefinition(code).close ?? 0)])

/** How often each thing was said: a test that reaches nothing shows nothing. */
const reached = new Map<string, number>()
const reach = (what: string) => void reached.set(what, (reached.get(what) ?? 0) + 1)

/** Takes what is said, and holds it against what may be said. */
class StrictSocket {
  bufferedBytes = 0
  ready: { session: string; resumeToken: string } | null = null
  closed: number | null = null
  /** Whether the session ended with this socket. */
  isOver = false
  #lastSeq = -1

  send(message: string | Uint8Array, onSent: () => void): void {
    if (this.closed !== null) throw new Error('something was said after the close')
    if (typeof message !== 'string') {
      const { header } = decodeMessage(message)
      reach(header.kind === kinds.context ? 'context' : 'depth')
      if (header.kind === kinds.depth) this.#outcome(header.seq)
    } else {
      const said = parseServerMessage(message)
      if (said === null) throw new Error(`no such message: ${message}`)
      reach(said.type === 'error' ? said.code : said.type)
      if (said.type === 'ready' && said.resumed) reach('resumed')
      if (said.type === 'ready' && said.continued) reach('continued')
      if (said.type === 'ready') this.ready = said
      if (said.type === 'drop') this.#outcome(said.seq)
      if (said.type === 'error' && said.seq !== undefined) this.#outcome(said.seq)
    }
    setImmediate(onSent)
  }

  close(code: number): void {
    if (this.closed !== null) throw new Error('closed twice')
    this.isOver = code !== 1000 && code !== 4509
    if (!closeCodes.has(code)) throw new Error(`closed with ${code}, which no table has`)
    this.closed = code
  }

  #outcome(seq: number): void {
    if (seq <= this.#lastSeq) throw new Error(`an outcome of ${seq} after one of ${this.#lastSeq}`)
    this.#lastSeq = seq
  }
}

type Step =
  | { do: 'text'; text: string }
  | { do: 'bytes'; changes: [number, number][]; length: number }
  | { do: 'frame'; skip: number; bytes: number; flags: number }
  | { do: 'congest'; bytes: number }
  /** The context that was announced, or something like it. */
  | { do: 'context'; changes: [number, number][]; firstPart: number }
  | { do: 'wait' }
  /** Code 0: the old socket stays while another comes. */
  | { do: 'drop'; code: number }

const contextBytes = 1234
/** Saved of a hash engine, and filled up to the bytes that are announced: in parts as a client might send it. */
let savedContext: Uint8Array
beforeAll(async () => {
  const origin = { model: 'hash', modelDigest: hashModel.digest, mode: 'ovda', cacheSize: 8 } as const
  const context = { epoch: 3, framesSeen: null, digest: null, frames: [], seam: null, latents: null }
  const { byteLength } = await packContext({ origin, seq: 4, context: { ...context, notes: '' } })
  const notes = '.'.repeat(contextBytes - byteLength)
  savedContext = await packContext({ origin, seq: 4, context: { ...context, notes } })
  expect(savedContext.byteLength).toBe(contextBytes)
})

const place = { session: '$session', token: '$token', epoch: 0, seq: -1 }
/** How a socket begins; null: with whatever comes. */
const greetings: readonly (object | null)[] = [
  { type: 'config', delivery: 'lossless', resumable: true },
  { type: 'config', delivery: 'latest', resumable: true, credit: 1 },
  { type: 'config', delivery: 'adaptive', resumable: true, credit: 1 },
  { type: 'config', resume: place },
  { type: 'config', resume: place },
  { type: 'config', resume: { ...place, epoch: 1, seq: 2 }, credit: 2 },
  { type: 'config' },
  { type: 'config', delivery: 'lossless', context: { bytes: contextBytes } },
  { type: 'config', context: { bytes: contextBytes + 1 } },
  null
]
const said: readonly object[] = [
  ...[{ type: 'credit', results: 3 }, { type: 'ack', seq: 1 }, { type: 'flush', id: 'x' }, { type: 'flush' }],
  ...[{ type: 'reset' }, { type: 'ping', id: '7' }, { type: 'ping' }, { type: 'ack', seq: 1e9 }],
  ...[
    { type: 'checkpoint', id: 'c' },
    { type: 'update', id: 'u', output: { format: 'f32' } }
  ],
  { type: 'update', output: { format: 'u16', size: 'source' } }
]
const last: readonly object[] = [{ type: 'detach' }, { type: 'close' }, { type: 'replayed' }]
const good = fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...said) }, fc.constantFrom(...last))
/** A message with some member that is another, or more. */
const altered = fc
  .tuple(
    good,
    fc.dictionary(
      fc.constantFrom('type', 'id', 'seq', 'results', 'resume', 'credit', 'output', 'x'),
      fc.jsonValue()
    )
  )
  .map(([message, members]) => ({ ...message, ...members }))
const spoiled = fc
  .tuple(good, fc.array(fc.tuple(fc.nat(80), fc.string({ maxLength: 3 })), { minLength: 1, maxLength: 3 }))
  .map(([message, edits]) =>
    edits.reduce(
      (text, [at, piece]) => text.slice(0, at) + piece + text.slice(at + 1),
      JSON.stringify(message)
    )
  )
const texts = fc.oneof(
  { weight: 40, arbitrary: good.map((message) => JSON.stringify(message)) },
  { weight: 2, arbitrary: altered.map((message) => JSON.stringify(message)) },
  { weight: 1, arbitrary: fc.constantFrom(...greetings).map((message) => JSON.stringify(message)) },
  { weight: 1, arbitrary: spoiled },
  { weight: 1, arbitrary: fc.string() }
)
const frame = fc.record({
  do: fc.constant('frame' as const),
  skip: fc.oneof({ weight: 40, arbitrary: fc.nat(3) }, fc.constant(-2)),
  bytes: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 40 }) }, fc.constant(0)),
  flags: fc.nat(16)
})
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 20, arbitrary: frame },
  { weight: 10, arbitrary: texts.map((text) => ({ do: 'text' as const, text })) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('bytes' as const),
      changes: fc.array(fc.tuple(fc.nat(90), fc.nat(255)), { maxLength: 4 }),
      length: fc.nat(100)
    })
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('context' as const),
      changes: fc.oneof(
        { weight: 4, arbitrary: fc.constant<[number, number][]>([]) },
        fc.array(fc.tuple(fc.nat(contextBytes - 1), fc.nat(255)), { minLength: 1, maxLength: 2 })
      ),
      firstPart: fc.nat(contextBytes)
    })
  },
  { weight: 10, arbitrary: fc.constant({ do: 'wait' as const }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 2 ** 21).map((bytes) => ({ do: 'congest' as const, bytes })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(0, 1000, 1001, 1006).map((code) => ({ do: 'drop' as const, code }))
  }
)

const pause = () => new Promise<void>((resolve) => setImmediate(resolve))

async function play(steps: readonly Step[], openings: readonly (object | null)[]): Promise<void> {
  const limits = {
    ...{ maxFrameBytes: 4096, maxPixels: 1000, maxContextBytes: 2 ** 16 },
    ...{ idleTimeoutMs: 60_000, configTimeoutMs: 60_000, uploadTimeoutMs: 60_000 }
  }
  const connect = () => {
    const socket = new StrictSocket()
    return {
      socket,
      connection: new Connection({
        socket,
        sessions,
        opener: { owner: null },
        flow: null,
        limits,
        contexts,
        failures,
        meter: new StreamMeter(new Registry(), { size: 0 }),
        defaultModel: 'hash',
        log
      })
    }
  }
  let ready: StrictSocket['ready'] = null
  let seq = 0
  const say = (text: string) =>
    now.connection.receive(
      Buffer.from(
        text.replace('$session', ready?.session ?? 'none').replace('$token', ready?.resumeToken ?? 'none')
      ),
      'text'
    )
  const greet = async () => {
    const opening = openings[all.length % openings.length] ?? null
    if (opening === null) return
    // There is nothing to resume once the session is over.
    if (all.at(-2)?.socket.isOver === true) ready = null
    say(JSON.stringify(ready === null && 'resume' in opening ? greetings[0] : opening))
    await pause()
  }
  let now = connect()
  const all = [now]
  await greet()
  for (const one of steps) {
    ready = now.socket.ready ?? ready
    if (now.socket.closed !== null || one.do === 'drop') {
      if (one.do !== 'drop' || one.code !== 0)
        await now.connection.closed(one.do === 'drop' ? one.code : 1005)
      now = connect()
      all.push(now)
      await greet()
    }
    if (one.do === 'text') say(one.text)
    if (one.do === 'frame') {
      seq = Math.max(0, seq + one.skip)
      const message = frameMessage(seq++, new Uint8Array(one.bytes), { codec: 'jpeg', flags: one.flags })
      now.connection.receive(message, 'binary')
    }
    if (one.do === 'bytes') {
      const message = new Uint8Array(one.length)
      message.set(frameMessage(seq, new Uint8Array(36)).subarray(0, one.length))
      for (const [at, value] of one.changes) if (at < one.length) message[at] = value
      now.connection.receive(message, 'binary')
    }
    if (one.do === 'context') {
      const context = Uint8Array.from(savedContext)
      for (const [at, value] of one.changes) context[at] = value
      const [first, second] = [context.subarray(0, one.firstPart), context.subarray(one.firstPart)]
      for (const part of [...contextParts(first), ...contextParts(second)]) {
        const offset = part.subarray(64).byteLength === first.byteLength ? 0 : one.firstPart
        new DataView(part.buffer).setBigUint64(8, BigInt(offset), true)
        now.connection.receive(part, 'binary')
      }
      await pause()
    }
    if (one.do === 'congest') now.socket.bufferedBytes = one.bytes
    if (one.do === 'wait') await pause()
  }
  await pause()
  for (const { socket, connection } of all) {
    await connection.closed(1000)
    // Nothing is left that would speak.
    socket.closed ??= 1000
  }
  await pause()
}

test('whatever is sent, in whatever order, is answered or closed with a listed code', async () => {
  const steps = fc.array(step, { maxLength: maxSteps, size: 'max' })
  const openings = fc.array(fc.constantFrom(...greetings), { minLength: 1, maxLength: 6, size: 'max' })
  // A third of the steps are no messages.
  const numRuns = Math.ceil(numMessages / (maxSteps / 3))
  await fc.assert(fc.asyncProperty(steps, openings, play), { numRuns, seed })
  expect([...reached.keys()]).toEqual(
    expect.arrayContaining([
      ...[
        'ready',
        'resumed',
        'depth',
        'drop',
        'flushed',
        'updated',
        'reset',
        'pong',
        'detached',
        'summary',
        'FRAME_EMPTY'
      ],
      ...['CONFIG_EXPECTED', 'CONFIG_REPEATED', 'MESSAGE_MALFORMED', 'FRAME_MALFORMED', 'FRAME_OUT_OF_ORDER'],
      ...['SESSION_UNKNOWN', 'SESSION_REPLACED', 'CONTEXT_INVALID', 'continued', 'checkpoint', 'context']
    ])
  )
  await expect.poll(() => engine.sessions.size, { timeout: 90_000 }).toBe(0)
}, 3_600_000)
