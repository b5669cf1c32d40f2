import { expect, test } from 'vitest'
import type { Request } from '../../../../src/inference/executors/process/child-messages.ts'
import { PendingCalls } from '../../../../src/inference/executors/process/pending-calls.ts'
import type { PendingCall } from '../../../../src/inference/executors/process/pending-calls.ts'
import { noWeights, smallPlan } from '../../../contract/plans.ts'

const call = (request: Request | null): PendingCall => ({
  ...{ request, begunAtMs: null, isShared: false },
  ...{ resolve: () => undefined, reject: () => undefined }
})
const transfers = (id: number): Request => ({ id, operation: 'transfers', isBeside: false, args: [] })
const load = (id: number, isBeside = true): Request => ({
  ...{ id, operation: 'load', isBeside },
  args: [smallPlan(noWeights)]
})

function pendingOf(requests: readonly Request[]): PendingCalls {
  const pending = new PendingCalls()
  for (const request of requests) pending.add(request.id, call(request))
  return pending
}

test.each<[string, Request[], number[]]>([
  ['nothing, with nothing to do', [], []],
  ['the first of several', [transfers(1), transfers(2)], [1]],
  ['a load, and the first that need not wait for it', [load(1), transfers(2), transfers(3)], [1, 2]],
  ['one load of several, and what comes after them', [load(1), load(2), transfers(3)], [1, 3]],
  ['what is before a load, alone', [transfers(1), load(2), transfers(3)], [1]],
  ['a load that the others wait for, alone', [load(1, false), transfers(2)], [1]]
])('a process is at %s', (_, requests, expected) => {
  expect(pendingOf(requests).underWay.map(({ request }) => request?.id)).toEqual(expected)
})

test('when it ends, what it was at is told from what it had not come to', () => {
  const pending = pendingOf([load(1), transfers(2), transfers(3)])
  const { underWay, waiting } = pending.takeAll()
  expect(underWay.map(({ request }) => request?.id)).toEqual([1, 2])
  expect(waiting.map(({ request }) => request?.id)).toEqual([3])
  expect(pending.underWay).toEqual([])
})

test('who comes first is begun at once, who comes behind another is not', () => {
  const pending = new PendingCalls()
  expect(pending.add(0, call(null))).toBe(true)
  expect(pending.add(1, call(transfers(1)))).toBe(false)
  pending.take(0)
  expect(pending.underWay.map(({ request }) => request?.id)).toEqual([1])
})
