import { expect, test } from 'vitest'
import type { Outgoing } from '../../../src/api/stream/outbox.ts'
import { Outbox } from '../../../src/api/stream/outbox.ts'
import { decodeMessage, flags } from '../../../src/wire/frame.ts'
import { frameMessage } from '../../helpers/stream-client.ts'

const result = (seq: number): Outgoing => ({
  type: 'result',
  seq,
  message: frameMessage(seq, new Uint8Array(8))
})

function outboxWith(delivery: 'latest' | 'lossless', credit: number, seqs: number[]): Outbox {
  const outbox = new Outbox({ delivery, credit })
  for (const seq of seqs) outbox.accept(seq)
  return outbox
}

function takeAll(outbox: Outbox): string[] {
  const said: string[] = []
  for (let next = outbox.take(); next !== undefined; next = outbox.take()) {
    said.push(
      `${next.type}${'seq' in next ? ` ${next.seq}` : ''}${'reason' in next ? ` ${next.reason}` : ''}`
    )
  }
  return said
}

test('outcomes leave in the order the session told them, and each frees its place', () => {
  const outbox = outboxWith('lossless', Infinity, [0, 1, 2])
  expect(takeAll(outbox)).toEqual([])
  outbox.push(result(0))
  outbox.push({ type: 'drop', seq: 1, reason: 'closed' })
  expect([outbox.unsettled, outbox.owed]).toEqual([3, true])
  outbox.push({ type: 'error', seq: 2, code: 'FRAME_EMPTY', detail: '' })
  expect([outbox.unsettled, outbox.owed]).toEqual([3, false])
  expect(takeAll(outbox)).toEqual(['result 0', 'drop 1 closed', 'error 2'])
  expect(outbox.unsettled).toBe(0)
})

test('frames that were accepted over another socket have their outcome over this one', () => {
  const outbox = new Outbox({ delivery: 'lossless', accepted: [7, 9] })
  outbox.accept(10)
  expect(outbox.unsettled).toBe(3)
  for (const seq of [6, 7, 8, 9, 10]) outbox.push(result(seq))
  expect(takeAll(outbox)).toEqual(['result 7', 'result 9', 'result 10'])
})

test('a frame ends once: a second outcome, and one for a frame that never came, are left out', () => {
  const outbox = outboxWith('lossless', Infinity, [0])
  outbox.push(result(0))
  outbox.push(result(0))
  outbox.push(result(9))
  expect(takeAll(outbox)).toEqual(['result 0'])
})

test('without credit a depth map waits, and what comes after it waits too', () => {
  const outbox = outboxWith('lossless', 1, [0, 1, 2])
  outbox.push(result(0))
  outbox.push(result(1))
  outbox.push({ type: 'flushed', id: 'a', epoch: 1, seq: 1, digest: '' })
  outbox.push({ type: 'drop', seq: 2, reason: 'closed' })
  expect(takeAll(outbox)).toEqual(['result 0'])
  expect(outbox.unsettled).toBe(2)
  outbox.grant(1)
  expect(takeAll(outbox)).toEqual(['result 1', 'flushed 1', 'drop 2 closed'])
})

test('with latest a depth map that waits is replaced by the next, which says that one was dropped', () => {
  const outbox = outboxWith('latest', 0, [0, 1, 2])
  outbox.push(result(0))
  outbox.push(result(1))
  expect(takeAll(outbox)).toEqual(['drop 0 superseded'])
  const last = result(2)
  outbox.push(last)
  outbox.grant(1)
  expect(takeAll(outbox)).toEqual(['drop 1 superseded', 'result 2'])
  expect(last.type === 'result' && decodeMessage(last.message).header.flags).toBe(flags.droppedBefore)
})

test('giving up names every frame without outcome, in order', () => {
  const outbox = outboxWith('lossless', 0, [0, 1, 2, 3])
  outbox.push(result(0))
  expect(outbox.abandon()).toEqual([0, 1, 2, 3])
  expect(outbox.unsettled).toBe(0)
})
