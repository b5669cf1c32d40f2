import { describe, expect, test } from 'vitest'
import type { SessionStore } from '../../src/sessions/session-store.ts'
import { storeTimes } from '../../src/sessions/session-store.ts'
import { hashTerms } from '../helpers/hash-engine.ts'
import { open, register, reservation } from './session-store.suite.ts'
import type { MakeStore } from './session-store.suite.ts'

const hash = (letter: string): string => letter.repeat(64)

/** Take the session "a" for a gateway; its token, or null if it is refused. */
async function take(store: SessionStore, [shown, next]: string, gatewayId = 'g2'): Promise<number | null> {
  const wish = { tokenHash: hash(shown ?? ''), newTokenHash: hash(next ?? ''), gatewayId }
  const outcome = await store.takeSession({ id: 'a', owner: null, ...wish })
  return outcome.kind === 'taken' ? outcome.row.token : null
}

/** Who may take a session, and who holds it. */
export function sessionOwnersSuite(name: string, makeStore: MakeStore): void {
  async function withSession(over = {}): Promise<SessionStore> {
    const store = await makeStore(storeTimes)
    await register(store, {})
    const token = await open(store, { id: 'a', bytes: 10, tokenHash: hash('A'), ...over })
    await store.settleSession('a', token, { modelDigest: 'd', epoch: 0, bytes: 10, terms: hashTerms })
    return store
  }

  describe(`${name} session store`, () => {
    test('a resume token counts until something came under the next', async () => {
      const store = await withSession()
      expect(await take(store, 'AB')).toBe(2)
      // The answer was lost with its socket.
      expect(await take(store, 'AC')).toBe(3)
      expect(await take(store, 'BD')).toBeNull()
      expect(await store.confirmSession('a', 2)).toBe('stale')
      expect(await store.confirmSession('a', 3)).toBe('changed')
      expect(await take(store, 'AE')).toBeNull()
      expect(await take(store, 'CF')).toBe(4)
      expect(await store.session('a')).toMatchObject({ tokenHash: hash('F'), previousTokenHash: hash('C') })
    })

    test('a taking that is sent again does not take the session back from whoever took it since', async () => {
      const store = await withSession()
      expect(await take(store, 'AB', 'g2')).toBe(2)
      expect(await take(store, 'AB', 'g2')).toBe(2)
      expect(await take(store, 'AC', 'g3')).toBe(3)
      expect(await take(store, 'AB', 'g2')).toBeNull()
      expect(await store.session('a')).toMatchObject({ gatewayId: 'g3', token: 3 })
    })

    test('what is refused is refused alike: no session, another’s, a plain one, one that ends', async () => {
      expect(await take(await makeStore(storeTimes), 'AB')).toBeNull()
      expect(await take(await withSession(), 'BC')).toBeNull()
      expect(await take(await withSession({ resumable: false }), 'AB')).toBeNull()
      const store = await withSession()
      await store.leaveSession('a', 1)
      expect(await take(store, 'AB')).toBeNull()
    })

    test('a session that nobody holds has its grace, and then is expired', async () => {
      const kept = async (store: SessionStore) =>
        (await store.keepSessions('w')).map(({ gateway }) => gateway)
      const patient = await withSession({ graceMs: 60_000 })
      expect(await patient.detachSession('a', 1)).toBe('changed')
      const { deadlineMs, touchedAtMs = NaN } = (await patient.session('a')) ?? {}
      expect(deadlineMs).toBeGreaterThanOrEqual(touchedAtMs + 60_000)
      expect(await patient.detachSession('a', 1)).toBe('changed')
      expect((await patient.session('a'))?.deadlineMs).toBe(deadlineMs)
      expect(await kept(patient)).toEqual(['detached'])
      expect(await take(patient, 'AB')).toBe(2)
      expect(await patient.session('a')).toMatchObject({
        state: 'attached',
        gatewayId: 'g2',
        deadlineMs: null
      })
      expect(await kept(patient)).toEqual(['alive'])
      const short = await withSession({ graceMs: 0 })
      await short.detachSession('a', 1)
      expect(await kept(short)).toEqual(['expired'])
      // Until its worker has ended it, it can still be had.
      expect(await take(short, 'AB')).toBe(2)
    })

    test('a gateway that takes a session, or places it anew, counts as alive', async () => {
      const store = await withSession({ gatewayId: 'g1' })
      await store.removeGateway('g1')
      expect(await store.keepSessions('w')).toMatchObject([{ gateway: 'gone' }])
      await take(store, 'AB', 'g2')
      expect(await store.keepSessions('w')).toMatchObject([{ gateway: 'alive' }])
      await store.removeWorker('w', 'i1')
      await register(store, { instance: 'i2' })
      await store.removeGateway('g2')
      const place = { workerId: 'w', workerInstance: 'i2', bytes: 10, gatewayId: 'g2' }
      expect(await store.replaceSession({ id: 'a', token: 2, ...place })).toEqual({
        kind: 'placed',
        token: 3
      })
      expect(await store.keepSessions('w')).toMatchObject([{ gateway: 'alive', token: 3 }])
    })

    test('sessions are listed by owner, page by page, the lost ones too', async () => {
      const store = await makeStore(storeTimes)
      await register(store, {})
      await register(store, { id: 'other' })
      for (const id of ['a', 'b', 'c', 'd', 'e']) {
        const workerId = id === 'b' ? 'other' : 'w'
        await store.openSession(reservation({ id, workerId, bytes: 1, owner: id === 'c' ? 'you' : 'me' }))
      }
      await store.removeWorker('other', 'i1')
      const pages: string[][] = []
      for (let cursor: string | null = null, more = true; more; more = cursor !== null) {
        const page = await store.listSessions({ owner: 'me', cursor, limit: 2 })
        pages.push(page.sessions.map(({ id, state }) => `${id} ${state}`))
        cursor = page.cursor
      }
      expect(pages).toEqual([
        ['a opening', 'b lost'],
        ['d opening', 'e opening']
      ])
      const { sessions } = await store.listSessions({ owner: null, cursor: null, limit: 10 })
      expect(sessions.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd', 'e'])
    })
  })
}
