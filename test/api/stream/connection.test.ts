import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { LeadlineError } from '../../../src/errors.ts'
import { flags } from '../../../src/wire/frame.ts'
import { stepGate } from '../../helpers/fake-engine.ts'
import { greyFrame } from '../../helpers/stream-client.ts'
import { connection, logged, types } from './connection-on-list.ts'

afterEach(() => void vi.useRealTimers())

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
