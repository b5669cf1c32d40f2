import { expect, test } from 'vitest'
import { Pace } from '../../../src/sessions/redis/pace.ts'
import { ReadPlan } from '../../../src/sessions/redis/read-plan.ts'

const nothing = { isSteady: false, isFull: false }

/** Five streams, of which none has to be named, at 0 ms. */
function idlePlan(): ReadPlan {
  const plan = new ReadPlan(2)
  for (const key of ['a', 'b', 'c', 'd', 'e']) plan.add(key)
  expect([...plan.next(0)]).toEqual(['a', 'b', 'c', 'd', 'e'])
  expect([...plan.next(1)]).toEqual([])
  return plan
}

test('few streams are named in every read', () => {
  const plan = new ReadPlan(2)
  plan.add('a')
  plan.add('b')
  for (const atMs of [0, 1, 2]) expect([...plan.next(atMs)]).toEqual(['a', 'b'])
})

test('of many, one that something was told of is named once, and so is a new one', () => {
  const plan = idlePlan()
  plan.ring('c')
  plan.add('f')
  expect([...plan.next(2)]).toEqual(['c', 'f'])
  plan.seen('c', nothing, 2)
  expect([...plan.next(3)]).toEqual([])
})

test('one that held more than was read is named again', () => {
  const plan = idlePlan()
  plan.seen('c', { isSteady: false, isFull: true }, 2)
  expect([...plan.next(3)]).toEqual(['c'])
})

test('a steady one is named until an entry says otherwise, or none comes for two seconds', () => {
  const plan = idlePlan()
  plan.seen('b', { isSteady: true, isFull: false }, 2)
  plan.seen('d', { isSteady: true, isFull: false }, 2)
  expect([...plan.next(500)]).toEqual(['b', 'd'])
  plan.seen('d', nothing, 500)
  expect([...plan.next(501)]).toEqual(['b'])
  plan.next(1500)
  expect([...plan.next(2100)]).toEqual([])
})

test('all are named every second, and after a failure at once', () => {
  const plan = idlePlan()
  expect([...plan.next(999)]).toEqual([])
  expect([...plan.next(1000)]).toHaveLength(5)
  plan.forget()
  expect([...plan.next(1001)]).toHaveLength(5)
})

test('what is removed is named no more, and what nobody tells of always', () => {
  const plan = idlePlan()
  plan.add('inbox', true)
  plan.ring('a')
  plan.remove('a')
  expect([...plan.next(2)]).toEqual(['inbox'])
  plan.ring('a')
  expect([...plan.next(3)]).toEqual(['inbox'])
})

test('a reader is told of every entry but those that follow at once on one which said so', () => {
  const pace = new Pace()
  const told = [0, 1000, 1033, 1066, 1100, 1900, 2700, 5000].map((atMs) => pace.next(atMs))
  expect(told.map(({ mustRing }) => mustRing)).toEqual([true, true, true, false, false, false, true, true])
  expect(told.map(({ isSteady }) => isSteady)).toEqual([false, false, true, true, true, false, false, false])
})
