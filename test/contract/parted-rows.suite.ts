import { describe, expect, test } from 'vitest'
import { eventually } from '../helpers/eventually.ts'
import { EventLog } from '../helpers/event-log.ts'
import { hashOptions, testFrame } from '../helpers/hash-engine.ts'
import type { SessionHandle, Sessions } from '../../src/sessions/index.ts'
import type { SessionReservation, SessionStore } from '../../src/sessions/session-store.ts'
import type { ParkingCell, ParkingCellOptions } from './parking.suite.ts'

/**
 * A store that comes back has rows as they were before, or as their worker knew them a moment before it was emptied: then a
 * session's row says that it takes device memory, which it has given away, or that it takes none, which it has again.
 */
export function partedRowsSuite(
  name: string,
  makeCell: (options: ParkingCellOptions) => Promise<ParkingCell>
): void {
  describe(`rows that say another thing than the engine, ${name}`, () => {
    test('the row of a parked session that has its memory is told that it has not', async () => {
      const { engine, gateway, store } = await makeCell({ capacityBytes: 200, parkAfterMs: 300 })
      const { handle, send } = await open(gateway)
      await send()
      await eventually(() => rowOf(store, handle)).toMatchObject({ state: 'parked', deviceBytes: 0 })
      const { token } = await rowOf(store, handle)
      expect(await store.unparkSession(handle.id, token, 100)).toBe('changed')
      await eventually(() => rowOf(store, handle)).toMatchObject({ state: 'parked', deviceBytes: 0 })
      expect(await reservedBytes(store)).toBe(0)
      expect(engine.parkedBytes).toBe(100)
      await send()
    })

    test('the row of a session in its place that is parked is told that it is not', async () => {
      const { gateway, store } = await makeCell({ capacityBytes: 200, parkAfterMs: 0 })
      const { handle, send } = await open(gateway)
      await send()
      const { token } = await rowOf(store, handle)
      expect(await store.parkSession(handle.id, token)).toBe('changed')
      await eventually(() => rowOf(store, handle)).toMatchObject({ state: 'attached', deviceBytes: 100 })
      expect(await reservedBytes(store)).toBe(100)
      await send()
    })

    test('the same finds no room in the row of its worker until another is parked', async () => {
      const { engine, gateway, store } = await makeCell({ capacityBytes: 200, parkAfterMs: 0 })
      const [first, second] = [await open(gateway), await open(gateway)]
      await first.send()
      await second.send()
      const { token } = await rowOf(store, first.handle)
      const [worker] = (await store.workers()).live
      const newcomer: SessionReservation = {
        ...{
          id: 'other',
          workerId: worker?.id ?? '',
          workerInstance: worker?.instance ?? '',
          gatewayId: 'g'
        },
        ...{ model: 'hash', modelDigest: '', mode: 'ovda', bytes: 100, tokenHash: '', owner: null },
        ...{ resumable: false, graceMs: 0, priority: 5 }
      }
      // Again, where the worker looked at its rows between the two.
      await eventually(async () => {
        await store.parkSession(first.handle.id, token)
        return (await store.openSession(newcomer)).kind
      }).toBe('opened')
      await eventually(async () => {
        const rows = await Promise.all([first, second].map(({ handle }) => rowOf(store, handle)))
        return rows.reduce((sum, row) => sum + row.deviceBytes, engine.parkedBytes)
      }).toBe(200)
      expect(await reservedBytes(store)).toBeLessThanOrEqual(200)
    })

    test('a session that its engine had no room for, though its row had, gives that back when it is idle', async () => {
      const { engine, gateway, store } = await makeCell({ capacityBytes: 200, parkAfterMs: 300 })
      const { handle, send } = await open(gateway)
      await send()
      const inEngine = engine.sessions.get(handle.id) ?? expect.fail('it is open')
      inEngine.isParked = true
      await eventually(() => rowOf(store, handle)).toMatchObject({ state: 'parked', deviceBytes: 0 })
      await send()
    })
  })
}

async function open(gateway: Sessions) {
  const log = new EventLog()
  const handle = await gateway.open(hashOptions, log.push)
  let sent = 0
  const send = async () => {
    handle.submit(testFrame(sent, Buffer.from([sent++])))
    await log.until((events) => events.filter(({ type }) => type === 'result').length === sent)
  }
  return { handle, send }
}

async function rowOf(store: SessionStore, { id }: SessionHandle) {
  return (await store.session(id)) ?? expect.fail('it has a row')
}

async function reservedBytes(store: SessionStore): Promise<number> {
  return (await store.workers()).live.reduce((sum, row) => sum + row.reservedBytes, 0)
}
