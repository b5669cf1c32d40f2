import { expect, onTestFinished, test } from 'vitest'
import { sessionOptions } from '../../../src/session.ts'
import { embeddedSessions } from '../../../src/sessions/index.ts'
import type { EmbeddedSessions } from '../../../src/sessions/index.ts'
import { EventLog } from '../../helpers/event-log.ts'
import {
  expectedChain,
  HashEngine,
  hashOptions,
  resultPayload,
  testFrame
} from '../../helpers/hash-engine.ts'
import { quietLog } from '../../helpers/quiet-log.ts'

async function startSessions(engine = new HashEngine()): Promise<EmbeddedSessions> {
  const sessions = await embeddedSessions(engine, quietLog())
  onTestFinished(() => sessions.close())
  return sessions
}

test('frames of several sessions come back in order, each from its own past', async () => {
  const sessions = await startSessions()
  const streams = await Promise.all(
    Array.from({ length: 5 }, async (_, s) => {
      const log = new EventLog()
      const frames = Array.from({ length: 20 }, (_, seq) => testFrame(seq, Buffer.from(`${s}:${seq}`)))
      return { log, frames, handle: await sessions.open(hashOptions, log.push) }
    })
  )
  for (let seq = 0; seq < 20; seq++) {
    for (const { handle, frames } of streams) handle.submit(frames[seq]!)
  }
  for (const { log, frames, handle } of streams) {
    handle.flush('end')
    await log.until((events) => events.some((event) => event.type === 'flushed'))
    expect(log.results().map((result) => result.seq)).toEqual(frames.map((frame) => frame.header.seq))
    expect(log.results().map((result) => resultPayload(result.message))).toEqual(expectedChain(frames))
  }
})

test('closing drops what waits before it resolves, and frees the bytes for the next session', async () => {
  const engine = new HashEngine(100)
  const sessions = await startSessions(engine)
  const log = new EventLog()
  const handle = await sessions.open(hashOptions, log.push)
  await expect(sessions.open(hashOptions, log.push)).rejects.toMatchObject({ code: 'NO_CAPACITY' })
  engine.hold()
  handle.submit(testFrame(1, Buffer.from('a')))
  handle.submit(testFrame(2, Buffer.from('b')))
  await handle.close()
  await handle.close()
  expect(log.events).toEqual([1, 2].map((seq) => ({ type: 'drop', seq, reason: 'closed' })))
  expect(engine.sessions.size).toBe(0)
  await (await sessions.open(hashOptions, log.push)).close()
})

test('a refusal of the engine reaches the caller by name and leaves no bytes reserved', async () => {
  const sessions = await startSessions(new HashEngine(100))
  const single = sessionOptions({ model: 'hash', mode: 'single' }, 'hash')
  await expect(sessions.open(single, () => {})).rejects.toMatchObject({ code: 'MODEL_MODE_UNSUPPORTED' })
  await sessions.open(hashOptions, () => {})
})

test('an unknown model is refused with the names that are served', async () => {
  const sessions = await startSessions()
  const open = sessions.open(sessionOptions({ model: 'nope' }, 'hash'), () => {})
  await expect(open).rejects.toMatchObject({
    code: 'MODEL_UNKNOWN',
    message: expect.stringContaining('hash')
  })
})

test('draining refuses new sessions, turns readiness off and waits for the last one', async () => {
  const sessions = await startSessions()
  expect(await sessions.readiness()).toEqual({ ready: true })
  const handle = await sessions.open(hashOptions, () => {})
  const drained = sessions.drain()
  await expect
    .poll(() => sessions.readiness())
    .toEqual({
      ready: false,
      code: 'DRAINING',
      reason: 'Every worker is draining',
      missing: ['draining']
    })
  await expect(sessions.open(hashOptions, () => {})).rejects.toMatchObject({ code: 'NO_WORKER' })
  await handle.close()
  await drained
})

test('an engine that ends a session gives its frames an error each, then one for the session', async () => {
  const engine = new HashEngine()
  const sessions = await startSessions(engine)
  const log = new EventLog()
  const handle = await sessions.open(hashOptions, log.push)
  engine.hold()
  handle.submit(testFrame(1, Buffer.from('a')))
  await expect.poll(() => engine.sessions.get(handle.id)?.waiting.length).toBe(1)
  const { emit, waiting } = engine.sessions.get(handle.id)!
  waiting.length = 0
  emit({ type: 'error', seq: null, code: 'EXECUTOR_FAILED', detail: 'gone' })
  expect(await log.ended()).toEqual([
    { type: 'error', seq: 1, code: 'EXECUTOR_FAILED', detail: 'gone' },
    { type: 'error', seq: null, code: 'EXECUTOR_FAILED', detail: 'gone' }
  ])
  await handle.close()
})

test('a frame that its gateway ends itself has its outcome in its place', async () => {
  const engine = new HashEngine()
  const sessions = await startSessions(engine)
  const log = new EventLog()
  const handle = await sessions.open(hashOptions, log.push)
  engine.hold()
  handle.submit(testFrame(1, Buffer.from('a')))
  handle.settle({ type: 'drop', seq: 2, reason: 'superseded' })
  handle.submit(testFrame(3, Buffer.from('c')))
  handle.settle({ type: 'error', seq: 4, code: 'FRAME_EMPTY', detail: 'no payload' })
  expect(log.events).toEqual([])
  engine.resume()
  await log.until((events) => events.length === 4)
  expect(log.events.map((event) => 'seq' in event && `${event.type} ${event.seq}`)).toEqual([
    ...['result 1', 'drop 2', 'result 3', 'error 4']
  ])
})

test('reset starts a new epoch in which the past is forgotten', async () => {
  const sessions = await startSessions()
  const log = new EventLog()
  const handle = await sessions.open(hashOptions, log.push)
  const frame = testFrame(1, Buffer.from('same'))
  handle.submit(frame)
  handle.reset()
  handle.submit(testFrame(2, Buffer.from('same')))
  handle.flush('end')
  await log.until((events) => events.some((event) => event.type === 'flushed'))
  expect(log.events.map((event) => event.type)).toEqual(['result', 'reset', 'result', 'flushed'])
  const payloads = log.results().map((result) => resultPayload(result.message))
  expect(payloads[1]).toBe(payloads[0])
})
