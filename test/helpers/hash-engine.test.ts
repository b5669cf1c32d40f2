import { expect, test } from 'vitest'
import type { SessionContext, SessionEvent } from '../../src/session.ts'
import { expectedChain, HashEngine, hashOptions, resultPayload, testFrame } from './hash-engine.ts'

const frames = Array.from({ length: 9 }, (_, seq) => testFrame(seq, Uint8Array.of(seq)))

async function openSession(engine: HashEngine, context?: SessionContext) {
  const events: SessionEvent[] = []
  const opened = await engine.open('a', hashOptions, (event) => events.push(event), {
    ...(context && { context })
  })
  const send = async (sent: typeof frames) => {
    for (const frame of sent) engine.submit('a', frame)
    await engine.whole('a')
  }
  const payloads = () => events.flatMap((e) => (e.type === 'result' ? [resultPayload(e.message)] : []))
  return { opened, events, send, payloads }
}

test('a session goes on exactly from all its frames, or from its latents', async () => {
  for (const latents of [false, true]) {
    const engine = new HashEngine(6400, { keepsFrames: latents ? 2 : 9 })
    await (await openSession(engine)).send(frames.slice(0, 5))
    const context = await engine.context('a', { latents })
    const { opened, events, send, payloads } = await openSession(new HashEngine(), context)
    expect(opened).toMatchObject({ epoch: 0, continuity: 'exact' })
    await send(frames.slice(5))
    expect(payloads()).toEqual(expectedChain(frames).slice(5))
    expect(events[0]).toEqual({ type: 'recovered', seq: 5, epoch: 0, continuity: 'exact' })
  }
})

test('from fewer frames, or from others than it had seen, it is rebuilt and says so', async () => {
  const engine = new HashEngine(6400, { keepsFrames: 2 })
  await (await openSession(engine)).send(frames.slice(0, 5))
  const context = await engine.context('a')
  const other = { ...context, framesSeen: 2, frames: [frames[0]!, frames[4]!] }
  for (const less of [context, other]) {
    const { opened, send, payloads } = await openSession(new HashEngine(), less)
    expect(opened).toMatchObject({ epoch: 1, continuity: 'rebuilt' })
    await send(frames.slice(5))
    expect(payloads()[0]).toBe(expectedChain([...less.frames, frames[5]!]).at(-1))
  }
  expect((await openSession(new HashEngine(), { ...context, frames: [] })).opened.continuity).toBe('new')
})
