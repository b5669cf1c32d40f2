import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { noPace } from '../../src/metering/engine-pace.ts'
import { noneMoved } from '../../src/sessions/session-store.ts'
import type {
  SessionReservation,
  SessionStore,
  StoreTimes,
  WorkerOffer
} from '../../src/sessions/session-store.ts'
import { storeTimes } from '../../src/sessions/session-store.ts'
import { hashModel, hashTerms } from '../helpers/hash-engine.ts'

/** A fresh store; closing what it needs is left to the maker. */
export type MakeStore = (times: StoreTimes) => Promise<SessionStore>

/** Long enough to open a session within, on a slow machine. */
const shortLived: StoreTimes = { ...storeTimes, workerTtlMs: 1000 }
const patient = { timeout: 90_000 }

/** What every SessionStore promises. */
export function sessionStoreSuite(name: string, makeStore: MakeStore): void {
  describe(`${name} session store`, () => {
    test('a registered worker can be read back, with nothing reserved', async () => {
      const store = await makeStore(storeTimes)
      expect(await register(store, { capacityBytes: 500 })).toBe('registered')
      const row = {
        id: 'w',
        instance: 'i1',
        draining: false,
        parkableBytes: 0,
        moved: noneMoved,
        pace: noPace,
        offer: offer(500),
        reservedBytes: 0,
        sessions: 0
      }
      expect(await store.workers()).toMatchObject({ live: [row], lapsed: [] })
    })

    test('a worker says with its lease what it could park', async () => {
      const store = await makeStore(storeTimes)
      await register(store, {})
      const moved = { sessions: 3, longestStallMs: 40 }
      const pace = { framesPerSecond: 29.9, latencyMs: { p50: 12.5, p99: 40 }, parkedSessions: 2 }
      expect(await store.renewWorker(lease({ parkableBytes: 300, moved, pace }))).toBe('renewed')
      expect((await store.workers()).live).toMatchObject([{ parkableBytes: 300, moved, pace }])
    })

    test('the id of a living worker is taken for every other instance but the one it replaces', async () => {
      const store = await makeStore(storeTimes)
      await register(store, {})
      expect(await register(store, { instance: 'i2' })).toBe('taken')
      expect(await register(store, { instance: 'i2', replaces: 'i1' })).toBe('registered')
      expect(await store.renewWorker(lease({}))).toBe('lost')
      expect(await store.renewWorker(lease({ instance: 'i2' }))).toBe('renewed')
    })

    test('opening reserves the bytes, settling corrects them, closing frees them once', async () => {
      const store = await makeStore(storeTimes)
      await register(store, { capacityBytes: 500 })
      const token = await open(store, { id: 'a', bytes: 200 })
      expect(await usage(store)).toEqual({ reservedBytes: 200, sessions: 1 })
      expect(
        await store.settleSession('a', token, { modelDigest: 'x', epoch: 0, bytes: 150, terms: hashTerms })
      ).toBe('changed')
      expect(await usage(store)).toEqual({ reservedBytes: 150, sessions: 1 })
      expect(await store.closeSession('a', token)).toBe('changed')
      expect(await store.closeSession('a', token)).toBe('unknown')
      expect(await usage(store)).toEqual({ reservedBytes: 0, sessions: 0 })
      expect(await store.session('a')).toBeNull()
    })

    test('a session that does not fit changes nothing', async () => {
      const store = await makeStore(storeTimes)
      await register(store, { capacityBytes: 300 })
      const token = await open(store, { id: 'a', bytes: 200 })
      expect(await store.openSession(reservation({ id: 'b', bytes: 101 }))).toEqual({ kind: 'full' })
      expect(await store.session('b')).toBeNull()
      expect(
        await store.settleSession('a', token, { modelDigest: 'x', epoch: 0, bytes: 301, terms: hashTerms })
      ).toBe('full')
      expect(await usage(store)).toEqual({ reservedBytes: 200, sessions: 1 })
    })

    test('a draining worker, an absent one and another instance take no session', async () => {
      const store = await makeStore(storeTimes)
      await register(store, {})
      const gone = { kind: 'workerGone' }
      expect(await store.openSession(reservation({ workerId: 'other' }))).toEqual(gone)
      expect(await store.openSession(reservation({ workerInstance: 'i0' }))).toEqual(gone)
      await store.renewWorker(lease({ draining: true }))
      expect(await store.openSession(reservation({}))).toEqual(gone)
    })

    test('a row holds what was written, and times that rise', async () => {
      const store = await makeStore(storeTimes)
      await register(store, {})
      const wanted = reservation({ id: 'a', bytes: 10 })
      const token = await open(store, wanted)
      const opening = await store.session('a')
      expect(opening).toMatchObject({ ...wanted, state: 'opening', token, epoch: 0, lastSeq: -1 })
      await store.settleSession('a', token, { modelDigest: 'settled', epoch: 2, bytes: 10, terms: hashTerms })
      await store.touchSession('a', token, { epoch: 3, lastSeq: 7 })
      const open_ = await store.session('a')
      expect(open_).toMatchObject({ state: 'attached', modelDigest: 'settled', epoch: 3, lastSeq: 7 })
      expect(open_?.touchedAtMs).toBeGreaterThanOrEqual(opening?.createdAtMs ?? Infinity)
      expect(open_?.createdAtMs).toBe(opening?.createdAtMs)
    })

    test('a token that is not the row’s is stale, whatever it wants', async () => {
      const store = await makeStore(storeTimes)
      await register(store, {})
      const token = await open(store, { id: 'a' })
      const old = token - 1
      expect(
        await store.settleSession('a', old, { modelDigest: '', epoch: 0, bytes: 1, terms: hashTerms })
      ).toBe('stale')
      expect(await store.touchSession('a', old, { epoch: 0, lastSeq: 1 })).toBe('stale')
      expect(await store.closeSession('a', old)).toBe('stale')
      expect(await store.touchSession('b', token, { epoch: 0, lastSeq: 1 })).toBe('unknown')
    })

    test('a worker that is not renewed runs out, and its sessions are told lost to one caller', async () => {
      const store = await makeStore(shortLived)
      await register(store, {})
      await register(store, { id: 'other' })
      const token = await open(store, { id: 'a' })
      await expect
        .poll(() => store.workers(), patient)
        .toEqual({ live: [], lapsed: ['other', 'w'], nextLapseMs: Infinity })
      const reports = await Promise.all([1, 2, 3].map(() => store.reapWorkers(['w'])))
      expect(await store.renewWorker(lease({}))).toBe('lost')
      expect((await store.workers()).lapsed).toEqual(['other'])
      expect(reports.flatMap((report) => report.workerIds)).toEqual(['w'])
      expect(reports.flatMap((report) => report.sessions)).toMatchObject([{ id: 'a', state: 'lost' }])
      expect(await store.session('a')).toMatchObject({ state: 'lost', workerId: 'w' })
      expect(await store.closeSession('a', token)).toBe('unknown')
    })

    test('a renewed worker does not run out', async () => {
      const store = await makeStore({ ...storeTimes, workerTtlMs: 60_000 })
      await register(store, {})
      expect(await store.renewWorker(lease({}))).toBe('renewed')
      expect(await store.reapWorkers(['w', 'nobody'])).toEqual({ workerIds: [], sessions: [] })
    })

    test('the rows are read with how long the first of them has left', async () => {
      const store = await makeStore({ ...storeTimes, workerTtlMs: 60_000 })
      expect((await store.workers()).nextLapseMs).toBe(Infinity)
      await register(store, {})
      await register(store, { id: 'other' })
      const { nextLapseMs } = await store.workers()
      expect(nextLapseMs).toBeGreaterThan(0)
      expect(nextLapseMs).toBeLessThanOrEqual(60_000)
    })

    test('a worker that ran out and was not reaped renews its row with all it held', async () => {
      const store = await makeStore(shortLived)
      await register(store, { capacityBytes: 500 })
      const token = await open(store, { id: 'a', bytes: 200 })
      await open(store, { id: 'b', bytes: 150 })
      const before = (await store.workers()).live
      await expect.poll(async () => (await store.workers()).lapsed, patient).toEqual(['w'])
      expect(await store.renewWorker({ ...lease({}), offer: offer(500) })).toBe('renewed')
      expect(await store.workers()).toMatchObject({ live: before, lapsed: [] })
      expect(await store.closeSession('a', token)).toBe('changed')
      expect(await usage(store)).toEqual({ reservedBytes: 150, sessions: 1 })
    })

    test('taking a worker down loses its sessions and nobody else’s', async () => {
      const store = await makeStore(storeTimes)
      await register(store, {})
      await register(store, { id: 'other' })
      await open(store, { id: 'a' })
      await open(store, { id: 'b', workerId: 'other' })
      await store.removeWorker('w', 'another instance')
      expect(await store.session('a')).toMatchObject({ state: 'opening' })
      await store.removeWorker('w', 'i1')
      expect(await store.session('a')).toMatchObject({ state: 'lost' })
      expect(await store.session('b')).toMatchObject({ state: 'opening' })
      expect((await store.workers()).live.map((worker) => worker.id)).toEqual(['other'])
    })

    test('a worker that registers again starts with nothing reserved', async () => {
      const store = await makeStore(storeTimes)
      await register(store, {})
      await open(store, { id: 'a', bytes: 400 })
      await register(store, { instance: 'i2', replaces: 'i1' })
      expect(await usage(store)).toEqual({ reservedBytes: 0, sessions: 0 })
      expect(await store.session('a')).toMatchObject({ state: 'lost' })
    })

    test('a session is kept with what its gateway does: lives, is gone, or has left it', async () => {
      const store = await makeStore(storeTimes)
      await register(store, {})
      const token = await open(store, { id: 'a', gatewayId: 'g1' })
      await open(store, { id: 'b', gatewayId: 'g2' })
      expect(await kept(store)).toEqual({ a: 'alive', b: 'alive' })
      await store.removeGateway('g2')
      expect(await store.leaveSession('a', token + 1)).toBe('stale')
      expect(await kept(store)).toEqual({ a: 'alive', b: 'gone' })
      expect(await store.leaveSession('a', token)).toBe('changed')
      expect(await kept(store)).toEqual({ a: 'left', b: 'gone' })
      await store.closeSession('a', token)
      expect(await store.leaveSession('a', token)).toBe('unknown')
      expect(await kept(store)).toEqual({ b: 'gone' })
    })

    test('a gateway that is not renewed runs out, and lives again when it is', async () => {
      const store = await makeStore({ ...storeTimes, gatewayTtlMs: 40 })
      await register(store, {})
      await open(store, { id: 'a', gatewayId: 'g1' })
      await expect.poll(() => kept(store), patient).toEqual({ a: 'gone' })
      const longer = await makeStore(storeTimes)
      await register(longer, {})
      await open(longer, { id: 'a', gatewayId: 'g1' })
      await longer.removeGateway('g1')
      await longer.renewGateway('g1')
      expect(await kept(longer)).toEqual({ a: 'alive' })
    })

    test('the row of a lost session is gone some time after its gateway has asked for it the last time', async () => {
      const store = await makeStore({ ...storeTimes, lostTtlMs: 100 })
      await register(store, {})
      const token = await open(store, { id: 'a', graceMs: 0 })
      await store.loseSession('a', token)
      await expect.poll(() => store.session('a'), { ...patient, interval: 150 }).toBeNull()
      const longer = await makeStore({ ...storeTimes, lostTtlMs: 100 })
      await register(longer, {})
      const held = await open(longer, { id: 'a', graceMs: 60_000 })
      await longer.loseSession('a', held)
      expect(await longer.lostSessions([{ id: 'a', token: held }])).toEqual([{ id: 'a', why: 'lost' }])
      await new Promise((resolve) => setTimeout(resolve, 200))
      expect(await longer.session('a')).toMatchObject({ state: 'lost' })
    })

    test('sessions without a row under their token are told', async () => {
      const store = await makeStore(storeTimes)
      await register(store, {})
      const token = await open(store, { id: 'a' })
      const asked = [
        { id: 'a', token },
        { id: 'a', token: token + 1 },
        { id: 'a', token: token - 1 },
        { id: 'b', token }
      ]
      expect(await store.lostSessions(asked)).toEqual([
        { id: 'a', why: 'behind' },
        { id: 'a', why: 'stale' },
        { id: 'b', why: 'gone' }
      ])
      await store.settleSession('a', token, { modelDigest: '', epoch: 0, bytes: 1, terms: hashTerms })
      await store.detachSession('a', token)
      expect(await store.lostSessions([{ id: 'a', token }])).toEqual([{ id: 'a', why: 'detached' }])
      await store.removeWorker('w', 'i1')
      expect(await store.lostSessions([{ id: 'a', token }])).toEqual([{ id: 'a', why: 'lost' }])
      expect(await store.lostSessions([])).toEqual([])
    })

    test('no order of concurrent opens and closes ever overcommits, or frees anything twice', async () => {
      const action = fc.record({
        kind: fc.constantFrom('open', 'settle', 'close', 'closeTwice'),
        id: fc.nat(7),
        bytes: fc.nat(120)
      })
      await fc.assert(
        fc.asyncProperty(fc.array(fc.array(action, { maxLength: 8 }), { maxLength: 8 }), async (rounds) => {
          const store = await makeStore(storeTimes)
          await register(store, { capacityBytes: 300 })
          const names = new Map<number, { id: string; token: number }>()
          let made = 0
          for (const round of rounds) {
            await Promise.all(
              round.map(async ({ kind, id, bytes }) => {
                const held = names.get(id)
                if (kind === 'open') {
                  const sessionId = `s${made++}`
                  const outcome = await store.openSession(reservation({ id: sessionId, bytes }))
                  if (outcome.kind === 'opened') names.set(id, { id: sessionId, token: outcome.token })
                } else if (held && kind === 'settle') {
                  await store.settleSession(held.id, held.token, {
                    modelDigest: '',
                    epoch: 0,
                    bytes,
                    terms: hashTerms
                  })
                } else if (held) {
                  const times = kind === 'close' ? 1 : 2
                  await Promise.all(
                    Array.from({ length: times }, () => store.closeSession(held.id, held.token))
                  )
                }
              })
            )
            const { reservedBytes, sessions } = await usage(store)
            const rows = await Promise.all(Array.from({ length: made }, (_, i) => store.session(`s${i}`)))
            const live = rows.filter((row) => row !== null)
            expect(reservedBytes).toBeLessThanOrEqual(300)
            expect(reservedBytes).toBe(live.reduce((sum, row) => sum + row.bytes, 0))
            expect(sessions).toBe(live.length)
          }
        }),
        { numRuns: 30 }
      )
    })
  })
}

function offer(capacityBytes: number): { models: [typeof hashModel]; capacityBytes: number; device: string } {
  return { models: [hashModel], capacityBytes, device: 'none' }
}

export function register(
  store: SessionStore,
  over: { id?: string; instance?: string; replaces?: string; capacityBytes?: number }
): Promise<string> {
  const { capacityBytes = 1000, ...rest } = over
  return store.registerWorker({
    ...{
      id: 'w',
      instance: 'i1',
      replaces: null,
      draining: false,
      parkableBytes: 0,
      moved: noneMoved,
      pace: noPace
    },
    offer: offer(capacityBytes),
    ...rest
  })
}

function lease(over: Partial<WorkerOffer>): WorkerOffer {
  return {
    id: 'w',
    instance: 'i1',
    draining: false,
    parkableBytes: 0,
    moved: noneMoved,
    pace: noPace,
    offer: offer(1000),
    ...over
  }
}

async function kept(store: SessionStore): Promise<Record<string, string>> {
  return Object.fromEntries((await store.keepSessions('w')).map(({ id, gateway }) => [id, gateway]))
}

export function reservation(over: Partial<SessionReservation>): SessionReservation {
  return {
    ...{ id: 's', model: 'hash', modelDigest: 'd', workerId: 'w', workerInstance: 'i1', gatewayId: 'g' },
    ...{
      mode: 'ovda',
      bytes: 100,
      tokenHash: 'h',
      owner: null,
      resumable: true,
      graceMs: 60_000,
      priority: 0
    },
    ...over
  }
}

export async function open(store: SessionStore, over: Partial<SessionReservation>): Promise<number> {
  const outcome = await store.openSession(reservation(over))
  if (outcome.kind !== 'opened') throw new Error(`not opened: ${outcome.kind}`)
  return outcome.token
}

async function usage(store: SessionStore): Promise<{ reservedBytes: number; sessions: number }> {
  const [row] = (await store.workers()).live.filter((worker) => worker.id === 'w')
  return { reservedBytes: row?.reservedBytes ?? NaN, sessions: row?.sessions ?? NaN }
}
