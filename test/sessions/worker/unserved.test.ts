import { expect, onTestFinished, test } from 'vitest'
import { InProcessLink } from '../../../src/sessions/embedded/in-process-link.ts'
import { MemorySessionStore } from '../../../src/sessions/embedded/memory-session-store.ts'
import { storeTimes } from '../../../src/sessions/session-store.ts'
import { SessionWorker } from '../../../src/sessions/worker/session-worker.ts'
import { eventually } from '../../helpers/eventually.ts'
import { HashEngine, hashModel } from '../../helpers/hash-engine.ts'
import { quietLog } from '../../helpers/quiet-log.ts'

/** A gateway was killed between the row of a session on its next worker and the word to that worker. */
async function untold({ graceMs }: { graceMs: number }) {
  const store = new MemorySessionStore({ ...storeTimes, workerTtlMs: Infinity, gatewayTtlMs: 1 })
  const link = new InProcessLink().workerLink()
  const worker = new SessionWorker({
    ...{ store, link, engine: new HashEngine(), log: quietLog(), workerId: 'w' }
  })
  await worker.start()
  onTestFinished(() => worker.close())
  const [row] = (await store.workers()).live
  const at = { workerId: 'w', workerInstance: row?.instance ?? '', bytes: 100, gatewayId: 'killed' }
  await store.openSession({
    ...{ id: 'a', model: 'hash', modelDigest: hashModel.digest, mode: 'ovda', ...at, tokenHash: '1' },
    ...{ owner: null, resumable: graceMs > 0, graceMs, priority: 5 }
  })
  await store.loseSession('a', 1)
  expect(await store.replaceSession({ id: 'a', token: 1, ...at })).toEqual({ kind: 'placed', token: 2 })
  return store
}

test('a session that its worker was never told of waits for its client, and takes no memory', async () => {
  const store = await untold({ graceMs: 60_000 })
  await eventually(async () => (await store.session('a'))?.state).toBe('lost')
  expect((await store.workers()).live[0]?.reservedBytes).toBe(0)
  const wish = { id: 'a', owner: null, tokenHash: '1', newTokenHash: '2', gatewayId: 'next' }
  expect((await store.takeSession(wish)).kind).toBe('taken')
})

test('one that nobody can come back for leaves nothing', async () => {
  const store = await untold({ graceMs: 0 })
  await eventually(async () => await store.session('a')).toBeNull()
  expect((await store.workers()).live[0]?.reservedBytes).toBe(0)
})
