import { Registry } from 'prom-client'
import { expect, onTestFinished, test } from 'vitest'
import { Deferred } from '../../../src/deferred.ts'
import { embeddedSessions } from '../../../src/sessions/index.ts'
import { DeviceSeat } from '../../../src/sessions/worker/parking/device-seat.ts'
import { EventLog } from '../../helpers/event-log.ts'
import { eventually } from '../../helpers/eventually.ts'
import { HashEngine, hashOptions, testFrame } from '../../helpers/hash-engine.ts'
import { quietLog } from '../../helpers/quiet-log.ts'

/** How many sessions are in each state, those without any left out. */
async function statesIn(metrics: Registry): Promise<Record<string, number>> {
  const text = await metrics.metrics()
  const found = [...text.matchAll(/^leadline_sessions\{state="(\w+)"\} (\d+)$/gm)]
  expect(found).toHaveLength(5)
  return Object.fromEntries(
    found.flatMap(([, state, count]) => (count === '0' ? [] : [[state, Number(count)]]))
  )
}

async function countIn(metrics: Registry): Promise<number> {
  return Number(/^leadline_unpark_seconds_count (\d+)$/m.exec(await metrics.metrics())?.[1])
}

test('a session of a worker is counted in one state, and how long it took to come back from being parked', async () => {
  const metrics = new Registry()
  const engine = new HashEngine()
  const sessions = await embeddedSessions(engine, quietLog(), { metrics, parkAfterMs: 300, graceMs: 60_000 })
  onTestFinished(() => sessions.close())
  expect(await statesIn(metrics)).toEqual({})

  const gate = new Deferred<void>()
  const open = engine.open.bind(engine)
  engine.open = async (...args) => {
    await gate.promise
    return open(...args)
  }
  const log = new EventLog()
  const opening = sessions.open({ ...hashOptions, resumable: true }, log.push)
  await eventually(() => statesIn(metrics)).toEqual({ opening: 1 })
  gate.resolve()
  const handle = await opening
  expect(Object.keys(await statesIn(metrics))).not.toContain('opening')

  engine.hold()
  handle.submit(testFrame(0, Buffer.from('a')))
  await eventually(() => statesIn(metrics)).toEqual({ active: 1 })
  await handle.detach()
  await eventually(() => statesIn(metrics)).toEqual({ detached: 1 })
  engine.resume()
  await eventually(() => statesIn(metrics)).toEqual({ parked: 1 })
  expect(await countIn(metrics)).toBe(0)
})

test('the time to come back is from the frame until its outcome, and none where it could not', async () => {
  const told: number[] = []
  let isFull = true
  const engine = new HashEngine()
  await engine.open('a', hashOptions, () => {})
  const seat = new DeviceSeat({
    ...{ sessionId: 'a', engine, bytes: 100, priority: 5, canPark: true },
    store: {
      parkSession: () => Promise.resolve('changed'),
      unparkSession: () => Promise.resolve(isFull ? 'full' : 'changed')
    },
    token: () => 1,
    isDetached: () => false,
    emit: (event) => void (event.type === 'error' && seat.settled()),
    settle: () => Promise.resolve('changed'),
    lot: { makeRoom: () => Promise.resolve(false), unparked: (ms) => void told.push(ms) }
  })
  expect(seat.sessionState).toBe('active')
  await seat.park('idle')
  expect(seat.sessionState).toBe('parked')
  seat.submit(testFrame(0, Buffer.from('a')))
  await eventually(() => seat.framesInFlight).toBe(0)
  expect(told).toEqual([])
  isFull = false
  seat.submit(testFrame(1, Buffer.from('b')))
  await eventually(() => seat.sessionState).toBe('active')
  expect(told).toEqual([])
  seat.settled()
  expect(told).toEqual([expect.any(Number)])
  seat.submit(testFrame(2, Buffer.from('c')))
  seat.settled()
  expect(told).toHaveLength(1)
  seat.isHeld = true
  expect(seat.sessionState).toBe('moving')
})
