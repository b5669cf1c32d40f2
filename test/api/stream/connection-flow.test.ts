import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { stepGate } from '../../helpers/fake-engine.ts'
import { greyFrame } from '../../helpers/stream-client.ts'
import type { Greeting } from './connection-on-list.ts'
import { connection, types } from './connection-on-list.ts'

afterEach(() => void vi.useRealTimers())

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

test('latest: the frame that waits goes before a detach, and has its outcome for whoever comes back', async () => {
  const { link, resumable, socket, say, frame } = await connection()
  say({ type: 'config', resumable: true })
  await socket.until(({ said }) => said.length === 1)
  const { session, resumeToken: token } = socket.said[0] as unknown as Greeting
  link.hasRoom = false
  frame(0)
  say({ type: 'detach' })
  await socket.until(({ closed }) => closed !== null)
  expect(types(socket)).toEqual(['ready', 'detached'])
  expect(link.submitted).toEqual([0])

  const again = resumable()
  again.say({ type: 'config', resume: { session, token, epoch: 0, seq: -1 } })
  again.hear()
  await again.socket.until(({ said }) => said.length === 2)
  expect(again.socket.said).toMatchObject([{ resumed: { after: 0 } }, { type: 'result', seq: 0 }])
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
