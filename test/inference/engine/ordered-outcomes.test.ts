import { expect, test } from 'vitest'
import { OrderedOutcomes } from '../../../src/inference/engine/ordered-outcomes.ts'
import type { SessionEvent } from '../../../src/session.ts'
import { emptyDigest, shortDigest } from '../../../src/wire/state-digest.ts'

const start = { seq: -1, epoch: 1, digest: emptyDigest }
const drop = (seq: number): SessionEvent => ({ type: 'drop', seq, reason: 'superseded' })

test('what is settled early waits for those before it', () => {
  const events: SessionEvent[] = []
  const outcomes = new OrderedOutcomes((event) => events.push(event), start)
  const [first, second] = [outcomes.take(1), outcomes.take(2)]
  outcomes.settle(outcomes.take(null), { type: 'flushed', id: 'x' })
  outcomes.settle(second, drop(2))
  expect(events).toEqual([])
  outcomes.settle(first, drop(1))
  expect(events).toEqual([drop(1), drop(2), expect.objectContaining({ type: 'flushed', id: 'x' })])
})

test('a place is settled once', () => {
  const events: SessionEvent[] = []
  const outcomes = new OrderedOutcomes((event) => events.push(event), start)
  const [first, second] = [outcomes.take(1), outcomes.take(2)]
  outcomes.settle(second, drop(2))
  outcomes.settle(second, { type: 'error', seq: 2, code: 'INTERNAL', detail: '' })
  outcomes.settle(first, drop(1))
  outcomes.settle(first, drop(1))
  expect(events).toEqual([drop(1), drop(2)])
})

test('settling the rest leaves what is settled already as it is', () => {
  const events: SessionEvent[] = []
  const outcomes = new OrderedOutcomes((event) => events.push(event), start)
  const [, second] = [outcomes.take(1), outcomes.take(2), outcomes.take(null), outcomes.take(3)]
  outcomes.settle(second, drop(2))
  outcomes.settleRest((seq) => ({ type: 'drop', seq, reason: 'closed' }))
  expect(events).toEqual([
    { type: 'drop', seq: 1, reason: 'closed' },
    drop(2),
    { type: 'drop', seq: 3, reason: 'closed' }
  ])
})

test('what a listener sets off follows the events already on their way', () => {
  const events: SessionEvent[] = []
  const outcomes: OrderedOutcomes = new OrderedOutcomes((event) => {
    events.push(event)
    if (events.length === 1) outcomes.settle(outcomes.take(null), { type: 'flushed', id: 'nested' })
  }, start)
  outcomes.settle(outcomes.take(1), { type: 'reset', seq: 1, epoch: 2, reason: 'resolution' }, drop(1))
  expect(events.map(({ type }) => type)).toEqual(['reset', 'drop', 'flushed'])
})

test('flushed says where the stream stands by the outcomes before it, however far the cache is', () => {
  const events: SessionEvent[] = []
  const outcomes = new OrderedOutcomes((event) => events.push(event), start)
  const [a, b] = ['a', 'b'].map((letter) => letter.repeat(64))
  const flush = (id: string) => outcomes.settle(outcomes.take(null), { type: 'flushed', id })
  const positions = () =>
    events.flatMap((event) => (event.type === 'flushed' ? [[event.epoch, event.seq, event.digest]] : []))
  flush('before the first')
  const [first, second, third] = [outcomes.take(4), outcomes.take(5), outcomes.take(6)]
  flush('after them')
  outcomes.mark(first, { epoch: 1, digest: a! })
  outcomes.mark(third, { epoch: 2, digest: a! })
  outcomes.mark(third, { epoch: 3, digest: b! })
  for (const place of [third, second]) outcomes.settle(place, drop(place.seq!))
  expect(positions()).toEqual([[1, -1, shortDigest(emptyDigest)]])
  outcomes.settle(first, drop(4))
  flush('again')
  const last = [3, 6, shortDigest(b!)]
  expect(positions()).toEqual([[1, -1, shortDigest(emptyDigest)], last, last])
})
