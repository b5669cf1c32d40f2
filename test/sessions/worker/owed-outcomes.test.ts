import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { SessionEvent } from '../../../src/session.ts'
import { OwedOutcomes } from '../../../src/sessions/worker/owed-outcomes.ts'
import type { KeepLimits } from '../../../src/sessions/worker/kept-outcomes.ts'

const result = (seq: number, bytes = 10): SessionEvent => ({
  ...{ type: 'result', seq },
  message: new Uint8Array(bytes)
})
const superseded = (seq: number) => ({ type: 'drop', seq, reason: 'superseded' }) as const

function start(limits?: KeepLimits, maxBytes = Infinity) {
  const told: SessionEvent[] = []
  const shared = { maxBytes, bytes: 0 }
  const owed = new OwedOutcomes((event) => told.push(event), shared, limits)
  return { told, shared, owed }
}

const named = (events: readonly SessionEvent[]): string[] =>
  events.map((event) => `${event.type} ${'seq' in event ? event.seq : ''}`)

test('whoever takes over is told again what the client has not received, in order, and no more', () => {
  const { owed, told } = start()
  for (const seq of [0, 1, 2, 3]) owed.accept(seq)
  for (const seq of [0, 1]) owed.push(result(seq))
  owed.push({ type: 'reset', seq: 2, epoch: 2, reason: 'resolution' })
  owed.push(result(2))
  owed.push({ type: 'flushed', id: 'x', epoch: 2, seq: 2, digest: '' })
  expect(named(told)).toEqual(['result 0', 'result 1', 'reset 2', 'result 2', 'flushed 2'])
  const taken = owed.takeOver(1)
  expect(named(taken?.events ?? [])).toEqual(['reset 2', 'result 2', 'flushed 2'])
  expect(taken).toMatchObject({ after: 3, unsettled: [2, 3] })
  owed.push(result(3))
  expect(named(told).slice(5)).toEqual(['result 3'])
})

test('what follows the outcomes of a worker before is told again to who has just those', () => {
  const { owed } = start()
  owed.restore({ told: [], after: 4 })
  owed.push({ type: 'recovered', seq: 5, epoch: 2, continuity: 'rebuilt' })
  expect(named(owed.takeOver(4)?.events ?? [])).toEqual(['recovered 5'])
  const next = start().owed
  next.restore({ ...owed.handedOn, told: [...owed.handedOn.told, result(5)], after: 5 })
  expect(named(next.takeOver(4)?.events ?? [])).toEqual(['recovered 5', 'result 5'])
  expect(next.takeOver(5)?.events).toEqual([])
})

test('a frame that was accepted once is not accepted again', () => {
  const { owed } = start()
  expect(owed.accept(4)).toBe(true)
  expect(owed.accept(4)).toBe(false)
  expect(owed.accept(3)).toBe(false)
  owed.takeOver(9)
  expect(owed.accept(9)).toBe(false)
  expect(owed.accept(10)).toBe(true)
})

test('what a gateway ended itself is told by it, and only by others again', () => {
  const { owed, told } = start()
  owed.accept(0)
  owed.aside({ acked: null, settled: [superseded(1)] })
  owed.accept(2)
  owed.push(result(0))
  expect(named(told)).toEqual(['result 0'])
  owed.aside({ acked: null, settled: [superseded(3)] })
  const taken = owed.takeOver(0)
  expect(named(taken?.events ?? [])).toEqual(['drop 1'])
  expect(taken).toMatchObject({ after: 3, unsettled: [1, 2, 3] })
  owed.push(result(2))
  expect(named(told).slice(1)).toEqual(['result 2', 'drop 3'])
})

test('what the client has is kept no longer', () => {
  const { owed, shared } = start()
  for (let seq = 0; seq < 8; seq++) {
    owed.accept(seq)
    owed.push(result(seq))
  }
  expect(shared.bytes).toBe(80)
  owed.aside({ acked: 5, settled: [] })
  expect(shared.bytes).toBe(20)
  expect(named(owed.takeOver(5)?.events ?? [])).toEqual(['result 6', 'result 7'])
  owed.end()
  owed.end()
  expect(shared.bytes).toBe(0)
})

test.each([
  ['of the session', { maxBytes: 30, maxEvents: 100 }, Infinity],
  ['of the worker', { maxBytes: Infinity, maxEvents: 100 }, 30]
])(
  'beyond the bound %s the oldest depth maps are let go, and each frame keeps one outcome',
  (_, limits, most) => {
    const { owed, shared } = start(limits, most)
    for (let seq = 0; seq < 6; seq++) {
      owed.accept(seq)
      owed.push(result(seq))
    }
    expect(shared.bytes).toBe(30)
    const events = owed.takeOver(-1)?.events ?? []
    expect(named(events)).toEqual(['drop 0', 'drop 1', 'drop 2', 'result 3', 'result 4', 'result 5'])
    expect(events[0]).toMatchObject({ reason: 'unacknowledged' })
  }
)

test('a client that never acknowledges cannot come back from where something is forgotten', () => {
  const { owed } = start({ maxBytes: Infinity, maxEvents: 3 })
  for (let seq = 0; seq < 6; seq++) {
    owed.accept(seq)
    owed.push(result(seq))
  }
  expect(owed.takeOver(1)).toBeNull()
  expect(named(owed.takeOver(2)?.events ?? [])).toEqual(['result 3', 'result 4', 'result 5'])
})

/** A client, its gateways and the engine, each at its own pace. */
const step = fc.oneof(
  fc.record({ do: fc.constant('send' as const), isSettled: fc.boolean() }),
  fc.record({ do: fc.constant('work' as const) }),
  fc.record({ do: fc.constant('receive' as const), count: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ do: fc.constant('ack' as const) }),
  fc.record({ do: fc.constant('move' as const) })
)

test('over any number of gateways a client gets exactly one outcome for each frame, in order', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const wire: SessionEvent[] = []
      const owed = new OwedOutcomes((event) => wire.push(event), { maxBytes: 200, bytes: 0 })
      const inEngine: number[] = []
      const received: number[] = []
      let sent = 0
      const receive = (count: number) => {
        for (const event of wire.splice(0, count)) received.push('seq' in event ? (event.seq ?? -1) : -1)
      }
      const move = () => {
        const taken = owed.takeOver(received.at(-1) ?? -1)
        wire.splice(0, Infinity, ...(taken?.events ?? []))
        expect(taken?.after).toBe(sent - 1)
        expect(taken?.unsettled).toEqual(
          Array.from({ length: sent - received.length }, (_, i) => received.length + i)
        )
      }
      for (const one of steps) {
        if (one.do === 'send' && one.isSettled) {
          // The gateway tells the client itself, so it can die before it has: as if it had, right away.
          owed.aside({ acked: null, settled: [superseded(sent++)] })
          move()
        } else if (one.do === 'send') {
          inEngine.push(sent)
          owed.accept(sent++)
        } else if (one.do === 'work' && inEngine.length > 0) owed.push(result(inEngine.shift()!, 40))
        else if (one.do === 'receive') receive(one.count)
        else if (one.do === 'ack') owed.aside({ acked: received.at(-1) ?? null, settled: [] })
        else if (one.do === 'move') move()
      }
      for (const seq of inEngine) owed.push(result(seq, 40))
      receive(Infinity)
      expect(received).toEqual([...Array(sent).keys()])
    })
  )
})
