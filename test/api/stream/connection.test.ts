import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { Failures } from '../../../src/api/failures.ts'
import { Connection } from '../../../src/api/stream/connection.ts'
import { ContextRoom } from '../../../src/api/stream/context-arrival.ts'
import { StreamMeter } from '../../../src/api/stream/stream-meter.ts'
import { Deferred } from '../../../src/deferred.ts'
import { LeadlineError } from '../../../src/errors.ts'
import { decodeMessage, flags } from '../../../src/frame.ts'
import type { SessionEvent } from '../../../src/session.ts'
import type { Sessions, WantedPast } from '../../../src/sessions/index.ts'
import { embeddedSessions } from '../../../src/sessions/index.ts'
import type { FakeEngineOptions } from '../../helpers/fake-engine.ts'
import { fakeEngine, stepGate, testModel } from '../../helpers/fake-engine.ts'
import { greyFrame } from '../../helpers/stream-client.ts'

const logged: string[] = []
const log = pino({ level: 'warn' }, { write: (line: string) => void logged.push(line) })
const failures = new Failures({ metrics: new Registry() })
afterEach(() => void vi.useRealTimers())

interface Said {
  type: string
  code?: string
  seq?: number
}

interface Greeting {
  session: string
  resumeToken: string
  limits: { maxInFlight: number }
}

/** A socket that keeps what is sent. */
class ListSocket {
  bufferedBytes = 0
  said: Said[] = []
  sent: (() => void)[] = []
  closed: { code: number; reason: string } | null = null

  send(message: string | Uint8Array, onSent: () => void): void {
    const said: Said =
      typeof message === 'string'
        ? (JSON.parse(message) as Said)
        : { type: 'result', seq: decodeMessage(message).header.seq }
    this.said.push(said)
    this.sent.push(onSent)
  }

  close(code: number, reason: string): void {
    this.closed = { code, reason }
  }

  until(done: (socket: ListSocket) => boolean): Promise<void> {
    return vi.waitFor(() => expect(done(this)).toBe(true), { timeout: 90_000, interval: 2 })
  }
}

async function connection(options: FakeEngineOptions & { maxFrameBytes?: number } = {}) {
  const { maxFrameBytes = 2 ** 20, ...engineOptions } = options
  const engine = fakeEngine(engineOptions)
  const sessions = await embeddedSessions(engine, log, { graceMs: 60_000 })
  const socket = new ListSocket()
  const limits = {
    ...{ maxFrameBytes, maxPixels: 2 ** 20, maxContextBytes: 2 ** 20 },
    ...{ idleTimeoutMs: 60_000, configTimeoutMs: 10_000, uploadTimeoutMs: 60_000 }
  }
  const contexts = new ContextRoom(limits.maxContextBytes)
  const events: string[] = []
  const link = { hasRoom: true, submitted: [] as number[], emit: (_: SessionEvent) => {} }
  const heard: Sessions = {
    ...sessions,
    open: async (wishes, onEvent) => {
      link.emit = onEvent
      const session = await sessions.open(wishes, (event) => {
        events.push(event.type)
        onEvent(event)
      })
      return {
        ...session,
        get hasRoom() {
          return link.hasRoom
        },
        submit: (frame) => {
          link.submitted.push(frame.header.seq)
          session.submit(frame)
        }
      }
    }
  }
  const connect = (socket: ListSocket, served: Sessions) =>
    new Connection({
      ...{ socket, sessions: served, opener: { owner: null }, flow: null, limits, contexts, failures },
      ...{ defaultModel: testModel, meter: new StreamMeter(new Registry(), { size: 0 }), log }
    })
  const stream = connect(socket, heard)
  const saying = (to: Connection) => (message: object) =>
    to.receive(Buffer.from(JSON.stringify(message)), 'text')
  onTestFinished(async () => {
    await stream.closed(1006)
    await sessions.close()
  })
  /** Another socket. `wanted`: the past of its session is lost. What the session says comes once `hear` is called. */
  const resumable = (wanted?: WantedPast) => {
    const next = new ListSocket()
    const held = new Deferred<void>()
    const resume: Sessions['resume'] = async (place, onEvent) => {
      const session = await sessions.resume(place, (event) => void held.promise.then(() => onEvent(event)))
      return wanted ? Object.assign(session, { wanted }) : session
    }
    const again = connect(next, { ...sessions, resume })
    onTestFinished(() => again.closed(1006))
    return { socket: next, stream: again, say: saying(again), hear: () => held.resolve() }
  }
  const say = saying(stream)
  return {
    resumable,
    engine,
    link,
    events,
    stream,
    socket,
    say,
    frame: (seq: number) => stream.receive(greyFrame(seq), 'binary')
  }
}

const types = (socket: ListSocket) => socket.said.map(({ type }) => type)

test('what comes while the session opens is handled in order once it is open', async () => {
  const { socket, say, frame } = await connection()
  say({ type: 'config' })
  frame(0)
  say({ type: 'flush', id: 'x' })
  expect(socket.said).toEqual([])
  await socket.until(({ said }) => said.length === 3)
  expect(types(socket)).toEqual(['ready', 'result', 'flushed'])
})

test('too much before ready ends the stream, and the session that was opening is given back', async () => {
  const { engine, stream, socket, say, frame } = await connection({ maxFrameBytes: 20_000 })
  say({ type: 'config' })
  for (let seq = 0; seq < 4; seq++) frame(seq)
  expect(socket.said).toMatchObject([{ type: 'error', code: 'FLOW_CONTROL' }])
  expect(socket.closed).toEqual({ code: 4429, reason: 'FLOW_CONTROL' })
  await stream.closed(1006)
  expect(engine.reservedBytes).toBe(0)
})

test('a client that leaves while its session opens leaves no session behind', async () => {
  const { engine, stream, socket, say } = await connection()
  say({ type: 'config' })
  await stream.closed(1006)
  expect(engine.reservedBytes).toBe(0)
  expect(socket.said).toEqual([])
})

test('a failure of the whole stream first drops every frame without outcome', async () => {
  const gate = stepGate()
  const { engine, stream, socket, say, frame } = await connection({ beforeStep: gate.beforeStep })
  gate.shut()
  onTestFinished(() => gate.open())
  say({ type: 'config', delivery: 'lossless' })
  for (let seq = 0; seq < 3; seq++) frame(seq)
  await socket.until(({ said }) => said.length === 1)
  const ended = stream.fail(new LeadlineError('DRAINING', 'bye'))
  expect(socket.said.slice(1)).toMatchObject([
    { type: 'drop', seq: 0, reason: 'closed' },
    { type: 'drop', seq: 1, reason: 'closed' },
    { type: 'drop', seq: 2, reason: 'closed' },
    { type: 'error', code: 'DRAINING' }
  ])
  expect(socket.closed).toEqual({ code: 4441, reason: 'DRAINING' })
  gate.open()
  await ended
  expect(engine.reservedBytes).toBe(0)
  expect(socket.said).toHaveLength(5)
})

test('what is not foreseen closes as INTERNAL and keeps its cause to itself', async () => {
  const { stream, socket } = await connection()
  await stream.fail(new TypeError('secret of the house'))
  expect(socket.said).toMatchObject([{ type: 'error', code: 'INTERNAL' }])
  expect(JSON.stringify(socket.said)).not.toContain('secret')
  expect(socket.closed).toEqual({ code: 1011, reason: 'INTERNAL' })
})

async function congested() {
  const made = await connection()
  const { events, socket, say, frame } = made
  say({ type: 'config', delivery: 'lossless' })
  await socket.until(({ said }) => said.length === 1)
  socket.bufferedBytes = 2 ** 21
  frame(0)
  say({ type: 'ping' })
  say({ type: 'flush', id: 'a' })
  await socket.until(() => events.includes('flushed'))
  expect(types(socket)).toEqual(['ready'])
  return made
}

test('a socket with much unsent is sent nothing more until it has sent', async () => {
  const { socket } = await congested()
  socket.bufferedBytes = 0
  socket.sent[0]?.()
  expect(types(socket)).toEqual(['ready', 'result', 'flushed'])
})

test('a socket that stays stuck is given up as a slow consumer', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const { socket } = await congested()
  vi.advanceTimersByTime(31_000)
  expect(socket.said.slice(1)).toMatchObject([
    { type: 'drop', seq: 0, reason: 'closed' },
    { type: 'error', code: 'SLOW_CONSUMER' }
  ])
  expect(socket.closed?.code).toBe(4413)
})

test('a client that waits for its depth is not idle, one that has it all is', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const gate = stepGate()
  const { socket, say, frame } = await connection({ beforeStep: gate.beforeStep })
  gate.shut()
  say({ type: 'config' })
  frame(0)
  await socket.until(({ said }) => said.length === 1)
  vi.advanceTimersByTime(100_000)
  expect(socket.closed).toBeNull()
  gate.open()
  await socket.until(({ said }) => said.length === 2)
  vi.advanceTimersByTime(61_000)
  expect(socket.closed).toEqual({ code: 4410, reason: 'SESSION_IDLE' })
})

test('commands are answered behind a depth map that waits for credit, and may not pile up there', async () => {
  const { engine, stream, socket, say, frame } = await connection()
  say({ type: 'config', delivery: 'lossless', credit: 0 })
  await socket.until(({ said }) => said.length === 1)
  frame(0)
  for (let i = 0; i < 256; i++) say({ type: i % 2 === 0 ? 'flush' : 'reset' })
  expect(types(socket)).toEqual(['ready'])
  say({ type: 'credit', results: 1 })
  await socket.until(({ said }) => said.length === 258)
  for (let i = 0; i < 256; i++) say({ type: 'flush' })
  await socket.until(({ said }) => said.length === 258 + 256)
  expect(socket.closed).toBeNull()

  frame(1)
  for (let i = 0; i < 257; i++) say({ type: 'flush' })
  expect(socket.closed).toEqual({ code: 4429, reason: 'FLOW_CONTROL' })
  await stream.closed(1006)
  expect(engine.reservedBytes).toBe(0)
})

test('latest: a session that gives no outcomes gets no more than it can use, and the newest frame waits here', async () => {
  const { link, socket, say, frame } = await connection()
  say({ type: 'config' })
  await socket.until(({ said }) => said.length === 1)
  link.hasRoom = false
  for (let seq = 0; seq < 500; seq++) frame(seq)
  expect(link.submitted).toEqual([])
  link.hasRoom = true
  await socket.until(({ said }) => said.length === 501)
  expect(link.submitted).toEqual([499])
  expect(socket.said.slice(1).map(({ type, seq }) => `${type} ${seq}`)).toEqual([
    ...Array.from({ length: 499 }, (_, seq) => `drop ${seq}`),
    'result 499'
  ])
})

test('latest: the frame that waits goes before a flush, a reset and the end', async () => {
  const { link, socket, say, frame } = await connection()
  say({ type: 'config' })
  await socket.until(({ said }) => said.length === 1)
  link.hasRoom = false
  for (const command of [{ type: 'flush', id: 'x' }, { type: 'reset' }, { type: 'close' }]) {
    frame(link.submitted.length)
    say(command)
  }
  await socket.until(({ closed }) => closed !== null)
  expect(link.submitted).toEqual([0, 1, 2])
  // The engine may supersede frame 0 by frame 1, which came before its step.
  expect(socket.said.slice(1, 3)).toMatchObject([{ seq: 0 }, { type: 'flushed' }])
  expect(socket.said.at(-1)).toMatchObject({ type: 'summary', frames: 3 })
})

test('a failure of every frame and of the stream is one line in the log', async () => {
  const gate = stepGate()
  const { link, socket, say, frame, stream } = await connection({ beforeStep: gate.beforeStep })
  gate.shut()
  onTestFinished(() => gate.open())
  say({ type: 'config', delivery: 'lossless' })
  await socket.until(({ said }) => said.length === 1)
  for (let seq = 0; seq < 8; seq++) frame(seq)
  logged.length = 0
  const failure = { type: 'error', code: 'EXECUTOR_FAILED', detail: 'of /secret/model' } as const
  for (let seq = 0; seq < 8; seq++) link.emit({ ...failure, seq })
  link.emit({ ...failure, seq: null })
  expect(types(socket).filter((type) => type === 'error')).toHaveLength(9)
  expect(logged.filter((line) => line.includes('/secret/model'))).toHaveLength(1)
  await stream.closed(1006)
})

test('a past that the servers lost is asked for, and given before the frames that follow it', async () => {
  const { link, resumable, say, socket, stream } = await connection()
  say({ type: 'config', delivery: 'lossless', resumable: true })
  await socket.until(({ said }) => said.length === 1)
  const { session, resumeToken: token } = socket.said[0] as unknown as Record<string, string>
  await stream.closed(1006)

  const given: number[][] = []
  const give = (frames: readonly { header: { seq: number } }[]) =>
    void given.push([...frames.map(({ header }) => header.seq), link.submitted.length])
  const again = resumable({ frames: 2, bytes: 2 ** 20, give })
  again.hear()
  again.say({ type: 'config', resume: { session, token, epoch: 0, seq: -1 } })
  await again.socket.until(({ said }) => said.length === 1)
  expect(again.socket.said[0]).toMatchObject({ resumed: { replay: { frames: 2, bytes: 2 ** 20 } } })
  for (const seq of [3, 4]) {
    const message = greyFrame(seq)
    new DataView(message.buffer).setUint16(6, flags.history, true)
    again.stream.receive(message, 'binary')
  }
  expect(given).toEqual([])
  again.say({ type: 'replayed' })
  again.stream.receive(greyFrame(5), 'binary')
  expect(given).toEqual([[3, 4, 0]])
  await again.socket.until(({ said }) => said.length === 2)
  expect(again.socket.said[1]).toMatchObject({ type: 'result', seq: 5 })
  await again.stream.closed(1000)
})

test('outcomes that the old socket brings after "resume" was said leave room for as many frames', async () => {
  const gate = stepGate()
  const { frame, resumable, say, socket } = await connection(gate)
  onTestFinished(() => gate.open())
  say({ type: 'config', delivery: 'lossless', resumable: true })
  await socket.until(({ said }) => said.length === 1)
  const { session, resumeToken: token, limits } = socket.said[0] as unknown as Greeting
  const { maxInFlight } = limits
  for (let seq = 0; seq < maxInFlight; seq++) frame(seq)
  await socket.until(({ said }) => said.length === 1 + maxInFlight)

  gate.shut()
  const again = resumable()
  again.say({ type: 'config', resume: { session, token, epoch: 0, seq: -1 } })
  await again.socket.until(({ said }) => said.length === 1)
  for (let seq = maxInFlight; seq <= 2 * maxInFlight; seq++) again.stream.receive(greyFrame(seq), 'binary')
  again.hear()
  gate.open()
  await again.socket.until(({ said }) => said.length === 2 + 2 * maxInFlight)
  const outcomes = again.socket.said.slice(1)
  expect(outcomes.map(({ seq }) => seq)).toEqual(outcomes.map((_, seq) => seq))
  expect(outcomes.slice(0, -1).every(({ type }) => type === 'result')).toBe(true)
  // It is one more than may be on their way.
  expect(outcomes.at(-1)).toMatchObject({ type: 'error', code: 'FLOW_CONTROL', seq: 2 * maxInFlight })
})
