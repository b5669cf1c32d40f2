import { expect, onTestFinished, test } from 'vitest'
import { InProcessLink } from '../../../src/sessions/embedded/in-process-link.ts'
import { MemorySessionStore } from '../../../src/sessions/embedded/memory-session-store.ts'
import type { SessionCommand, WorkerEvent } from '../../../src/sessions/link.ts'
import { storeTimes } from '../../../src/sessions/session-store.ts'
import { SessionWorker } from '../../../src/sessions/worker/session-worker.ts'
import { eventually } from '../../helpers/eventually.ts'
import {
  expectedChain,
  HashEngine,
  hashModel,
  hashAccount,
  hashOptions,
  resultPayload,
  testFrame
} from '../../helpers/hash-engine.ts'
import { quietLog } from '../../helpers/quiet-log.ts'
import { Received } from '../../helpers/received.ts'

/** A session that its worker still has from before comes to it a second time, under a higher token. */

const open = {
  type: 'open',
  options: hashOptions,
  account: hashAccount,
  resumable: true
} as const satisfies SessionCommand
const frames = [0, 1, 2].map((seq) => testFrame(seq, Buffer.from([seq])))

async function placed({ resumable = true } = {}) {
  const store = new MemorySessionStore({ ...storeTimes, workerTtlMs: Infinity, gatewayTtlMs: Infinity })
  const link = new InProcessLink()
  const engine = new HashEngine()
  const log = quietLog()
  const worker = new SessionWorker({ store, link: link.workerLink(), engine, log, workerId: 'w' })
  await worker.start()
  onTestFinished(() => worker.close())
  await store.renewGateway('g')
  const [row] = (await store.workers()).live
  const opened = await store.openSession({
    ...{ id: 'a', model: 'hash', modelDigest: hashModel.digest, mode: 'ovda', bytes: 100 },
    ...{ workerId: 'w', workerInstance: row?.instance ?? '', gatewayId: 'g', tokenHash: '1' },
    ...{ owner: null, resumable, graceMs: resumable ? 60_000 : 0, priority: 5 }
  })
  expect(opened).toEqual({ kind: 'opened', token: 1 })
  const attach = (token: number) => {
    const events = new Received<WorkerEvent>()
    const { send } = link.attach({ sessionId: 'a', token, workerId: 'w' }, events.push)
    return { send, events }
  }
  /** Another gateway puts it here again under the next token, after its row was lost. */
  const replace = async () => {
    await store.loseSession('a', 1)
    const wish = { id: 'a', token: 1, workerId: 'w', workerInstance: row?.instance ?? '', bytes: 100 }
    expect(await store.replaceSession({ ...wish, gatewayId: 'g' })).toEqual({ kind: 'placed', token: 2 })
  }
  return { store, engine, worker, attach, replace }
}

/** When the session is told of again, seen from the `open` before. */
const moments = ['while it opens', 'when it is open', 'while it ends'] as const

async function until(
  moment: (typeof moments)[number],
  { send, events }: ReturnType<Awaited<ReturnType<typeof placed>>['attach']>
) {
  send(open)
  if (moment === 'while it opens') return
  await events.until((all) => all.length > 0)
  if (moment === 'while it ends') send({ type: 'close' })
}

test.each(moments)('under a token that its row never had, %s, it keeps no memory', async (moment) => {
  const { store, engine, worker, attach } = await placed()
  await until(moment, attach(1))
  const second = attach(2)
  second.send(open)
  second.send({ type: 'close' })
  await second.events.until((all) => all.some(({ type }) => type === 'closed'))
  await eventually(() => worker.standing.sessions).toBe(0)
  expect(engine.sessions.size).toBe(0)
  await store.closeSession('a', 1)
  expect((await store.workers()).live[0]?.reservedBytes).toBe(0)
})

test.each(['while it opens', 'when it is open'] as const)(
  'under the token of its row, %s, it serves what follows, from the start',
  async (moment) => {
    const { store, engine, attach, replace } = await placed()
    const first = attach(1)
    if (moment === 'while it opens') await replace()
    await until(moment, first)
    if (moment === 'when it is open') await replace()
    const second = attach(2)
    second.send(open)
    for (const frame of frames) second.send({ type: 'frame', frame })
    await second.events.until((all) => all.filter(({ type }) => type === 'result').length === frames.length)
    const results = second.events.all.flatMap((event) =>
      event.type === 'result' ? [resultPayload(event.message)] : []
    )
    expect(results).toEqual(expectedChain(frames))
    expect(first.events.all.map(({ type }) => type)).not.toContain('result')
    second.send({ type: 'close' })
    await second.events.until((all) => all.some(({ type }) => type === 'closed'))
    expect(engine.sessions.size).toBe(0)
    expect(await store.session('a')).toBeNull()
  }
)

test('one that cannot be resumed, and that nobody hears, is lost, so that its gateway can have it opened anew', async () => {
  const { store, engine, worker, attach, replace } = await placed({ resumable: false })
  const first = attach(1)
  first.send({ ...open, resumable: false })
  await first.events.until((all) => all.length > 0)
  // As the link says where the gateway has given up on the worker, which has its row back by now.
  first.send({ type: 'detach' })
  await eventually(() => worker.standing.sessions).toBe(0)
  expect(engine.sessions.size).toBe(0)
  expect((await store.workers()).live[0]?.reservedBytes).toBe(0)
  await replace()
  const second = attach(2)
  second.send({ ...open, resumable: false })
  await second.events.until((all) => all.some(({ type }) => type === 'opened'))
})

test('one that cannot be resumed, and that nobody hears because it was ended, leaves no row', async () => {
  const { store, worker, attach } = await placed({ resumable: false })
  const first = attach(1)
  first.send({ ...open, resumable: false })
  await first.events.until((all) => all.length > 0)
  expect(await store.leaveSession('a', 1)).toBe('changed')
  first.send({ type: 'detach' })
  await eventually(() => worker.standing.sessions).toBe(0)
  expect(await store.session('a')).toBeNull()
})
