import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { fakeEngine, Gate, openSession, resultsOf } from '../fake-engine.ts'
import { frameOf, patches } from '../frames.ts'

const size = { width: 56, height: 28 }
const frame = (seq: number) => frameOf(seq, 'rgb24', patches(seq, size), size)
const seqsOf = (events: Parameters<typeof resultsOf>[0]) => resultsOf(events).map(({ seq }) => seq)

/** A session whose first frame is in its step, and whose next ones wait; the step ends by `gate.letOnePass()`. */
async function busySession() {
  const gate = new Gate()
  const engine = fakeEngine({ fake: { beforeStep: gate.pass } })
  onTestFinished(async () => {
    gate.open()
    await engine.closeAll()
  })
  const session = await openSession(engine, 'a', { delivery: 'lossless' })
  for (const seq of [1, 2, 3]) session.submit(frame(seq))
  await gate.arrival()
  return { engine, gate, session }
}

async function someTurns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await nextTurn()
}

test('a session stands still once the step that runs has its outcome, and the frames that wait are not stepped', async () => {
  const { engine, gate, session } = await busySession()
  const halting = engine.halt('a')
  gate.open()
  const { context, goOn } = await halting
  expect(context.frames.map(({ header }) => header.seq)).toEqual([1])
  expect(context.latents).not.toBeNull()
  await someTurns()
  expect(seqsOf(session.events)).toEqual([1])
  goOn()
  goOn()
  await session.flush()
  expect(seqsOf(session.events)).toEqual([1, 2, 3])
})

test('another goes on from there with the same frames, bit for bit, resets and flushes in their places', async () => {
  const { engine, gate, session } = await busySession()
  engine.flush('a', 'between')
  session.reset()
  session.submit(frame(4))
  const halting = engine.halt('a')
  gate.open()
  const { context, goOn } = await halting
  await someTurns()
  expect(session.events.map(({ type }) => type)).toEqual(['result'])
  const other = fakeEngine()
  onTestFinished(() => other.closeAll())
  const moved = await openSession(other, 'a', { delivery: 'lossless' }, 'ovda', context)
  goOn()
  for (const seq of [2, 3]) moved.submit(frame(seq))
  other.flush('a', 'between')
  moved.reset()
  moved.submit(frame(4))
  await Promise.all([session.flush(), moved.flush()])
  expect(resultsOf(moved.events)).toMatchObject(
    resultsOf(session.events)
      .slice(1)
      .map(({ seq, epoch, fingerprint }) => ({ seq, epoch, fingerprint }))
  )
  const kinds = (events: typeof session.events) => events.map(({ type }) => type).join(' ')
  expect(kinds(session.events)).toBe('result result result flushed reset result flushed')
  expect(kinds(moved.events)).toBe('recovered result result flushed reset result flushed')
})

test('a session that is closed as it stands still drops what waits, and goes on no more', async () => {
  const { engine, gate, session } = await busySession()
  const halting = engine.halt('a')
  gate.open()
  const { goOn } = await halting
  await session.close()
  goOn()
  await someTurns()
  expect(session.events.slice(1)).toEqual([2, 3].map((seq) => ({ type: 'drop', seq, reason: 'closed' })))
  expect(engine.reservedBytes).toBe(0)
  await expect(engine.halt('a')).rejects.toMatchObject({ code: 'SESSION_UNKNOWN' })
})

test('a session with nothing to do stands still at once, a parked one with its latents', async () => {
  const engine = fakeEngine()
  onTestFinished(() => engine.closeAll())
  const session = await openSession(engine, 'a', { delivery: 'lossless' })
  ;(await engine.halt('a')).goOn()
  session.submit(frame(1))
  await session.flush()
  await session.park()
  const { context, goOn } = await engine.halt('a')
  expect(context.latents).not.toBeNull()
  session.submit(frame(2))
  await someTurns()
  expect(seqsOf(session.events)).toEqual([1])
  goOn()
  await session.flush()
  expect(seqsOf(session.events)).toEqual([1, 2])
})
