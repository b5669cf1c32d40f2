import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeMessage, encodeMessage, flags, kinds } from '../../../../src/wire/frame.ts'
import type { ValidFrame } from '../../../../src/wire/frame.ts'
import { frameBytes } from '../../../../src/sessions/gateway/past/frame-ring.ts'
import { RingBudget } from '../../../../src/sessions/gateway/past/ring-budget.ts'
import { SessionPast } from '../../../../src/sessions/gateway/past/session-past.ts'
import type { SessionPastOptions } from '../../../../src/sessions/gateway/past/session-past.ts'
import { testFrame } from '../../../helpers/hash-engine.ts'

const shape = { keepsFirst: false, recent: 5 }
const plenty = 2 ** 30

function pastOf(over: Partial<SessionPastOptions> = {}): SessionPast {
  return new SessionPast({ budget: new RingBudget(plenty), shape, epoch: 1, isNew: true, ...over })
}

function resultOf(frame: ValidFrame, { epoch = 1, flag = 0 } = {}) {
  const header = { ...frame.header, kind: kinds.depth, codec: 'raw' as const, epoch, flags: flag }
  return { type: 'result' as const, seq: header.seq, message: encodeMessage(header, Buffer.from('depth')) }
}

function see(
  past: SessionPast,
  seq: number,
  over: Parameters<typeof resultOf>[1] = {},
  bytes = 100
): ValidFrame {
  const frame = testFrame(seq, Buffer.alloc(bytes))
  past.sent({ type: 'frame', frame })
  expect(past.settle(resultOf(frame, over))).toBe(true)
  return frame
}

function seqsOf(past: SessionPast): number[] {
  return past.context.frames.map(({ header }) => header.seq)
}

test('the last frames that were seen are kept, by reference, and as many as were seen are counted', () => {
  const past = pastOf()
  const frames = [1, 2, 3, 4, 5, 6, 7].map((seq) => see(past, seq))
  const { framesSeen, frames: kept } = past.context
  expect(framesSeen).toBe(7)
  expect(kept.map((frame, i) => frame === frames[i + 2])).toEqual([true, true, true, true, true])
})

test('of a shape with a first frame that one stays', () => {
  const past = pastOf({ shape: { keepsFirst: true, recent: 2 } })
  for (let seq = 1; seq <= 6; seq++) see(past, seq)
  expect(seqsOf(past)).toEqual([1, 5, 6])
})

test('blank frames, dropped ones and those that cannot be decoded were not seen', () => {
  const past = pastOf()
  see(past, 1)
  see(past, 2, { flag: flags.blank })
  past.sent({ type: 'frame', frame: testFrame(3, Buffer.from('x')) })
  past.sent({ type: 'frame', frame: testFrame(4, Buffer.from('y')) })
  past.settle({ type: 'drop', seq: 3, reason: 'superseded' })
  past.settle({ type: 'error', seq: 4, code: 'FRAME_DECODE_FAILED', detail: '' })
  expect(past.context).toMatchObject({ framesSeen: 1 })
  expect(seqsOf(past)).toEqual([1])
})

test('after a frame that failed in an unknown place it is not known how many were seen, until an epoch begins', () => {
  const past = pastOf()
  see(past, 1)
  past.sent({ type: 'frame', frame: testFrame(2, Buffer.from('x')) })
  past.settle({ type: 'error', seq: 2, code: 'INTERNAL', detail: '' })
  see(past, 3)
  expect(past.context.framesSeen).toBeNull()
  past.answered({ type: 'reset', seq: 4, epoch: 2, reason: 'sceneCut' })
  see(past, 4, { epoch: 2 })
  expect(past.context).toMatchObject({ epoch: 2, framesSeen: 1 })
  expect(seqsOf(past)).toEqual([4])
})

test('an epoch that only a depth map tells of lets the older frames go', () => {
  const past = pastOf()
  see(past, 1)
  see(past, 2, { epoch: 2, flag: flags.first })
  expect(past.context).toMatchObject({ epoch: 2, framesSeen: 1 })
  see(past, 3, { epoch: 3 })
  expect(past.context).toMatchObject({ epoch: 3, framesSeen: null })
  expect(seqsOf(past)).toEqual([3])
})

test('a cache that was made anew can be made anew from the same frames, and nothing is said of all it saw', () => {
  const past = pastOf()
  see(past, 1)
  past.answered({ type: 'recovered', seq: 2, epoch: 1, continuity: 'exact' })
  expect(past.context).toMatchObject({ epoch: 1, framesSeen: 1 })
  past.answered({ type: 'recovered', seq: 2, epoch: 2, continuity: 'rebuilt' })
  see(past, 2, { epoch: 2 })
  expect(past.context).toMatchObject({ epoch: 2, framesSeen: null })
  expect(seqsOf(past)).toEqual([1, 2])
  past.answered({ type: 'recovered', seq: 3, epoch: 3, continuity: 'new' })
  expect(past.context).toMatchObject({ epoch: 3, framesSeen: 0, frames: [], seam: null })
})

test('of a session that was taken over it is not known what was seen before', () => {
  const past = pastOf({ isNew: false, epoch: 4 })
  see(past, 9, { epoch: 4 })
  expect(past.context).toMatchObject({ epoch: 4, framesSeen: null })
})

test('a frame that came through another gateway is missed, also where an epoch has begun just before', () => {
  const frame = (seq: number) => testFrame(seq, Buffer.from('x'))
  const others: [Parameters<SessionPast['settle']>[0], number | null][] = [
    [resultOf(frame(2), { epoch: 2 }), null],
    [{ type: 'drop', seq: 2, reason: 'unacknowledged' }, null],
    [{ type: 'drop', seq: 2, reason: 'superseded' }, 1]
  ]
  for (const [outcome, framesSeen] of others) {
    const past = pastOf({ isNew: false })
    past.answered({ type: 'reset', seq: null, epoch: 2, reason: 'client' })
    expect(past.settle(outcome)).toBe(false)
    see(past, 3, { epoch: 2 })
    expect(past.context).toMatchObject({ epoch: 2, framesSeen })
    // Told again after a move.
    past.settle(resultOf(frame(3), { epoch: 2 }))
    expect(past.context.framesSeen).toBe(framesSeen)
  }
})

test('what was not answered is sent again in its order; a reset is answered by its event or by what follows it', () => {
  const past = pastOf()
  const frames = [1, 2, 3].map((seq) => testFrame(seq, Buffer.from(`${seq}`)))
  past.sent({ type: 'frame', frame: frames[0]! })
  past.sent({ type: 'reset' })
  past.sent({ type: 'frame', frame: frames[1]! })
  past.sent({ type: 'flush', id: 'a' })
  past.sent({ type: 'flush', id: 'a' })
  past.sent({ type: 'reset' })
  past.sent({ type: 'frame', frame: frames[2]! })
  const types = () => past.unsettled.map(({ type }) => type)
  past.settle(resultOf(frames[0]!))
  expect(types()).toEqual(['reset', 'frame', 'flush', 'flush', 'reset', 'frame'])
  past.answered({ type: 'reset', seq: null, epoch: 2, reason: 'sceneCut' })
  expect(types()).toHaveLength(6)
  past.settle(resultOf(frames[1]!, { epoch: 2 }))
  expect(types()).toEqual(['flush', 'flush', 'reset', 'frame'])
  past.answered({ type: 'flushed', id: 'a', epoch: 2, seq: 2, digest: '' })
  past.answered({ type: 'flushed', id: 'a', epoch: 2, seq: 2, digest: '' })
  past.answered({ type: 'reset', seq: null, epoch: 3, reason: 'client' })
  expect(types()).toEqual(['frame'])
  expect(past.isUnsettled(3)).toBe(true)
})

test('a second outcome for one frame is refused', () => {
  const past = pastOf()
  const frame = see(past, 1)
  expect(past.settle(resultOf(frame))).toBe(false)
  expect(past.settle({ type: 'drop', seq: 8, reason: 'closed' })).toBe(false)
  expect(past.context.framesSeen).toBe(1)
})

test('without a budget frames without outcome are kept all the same, and nothing else', () => {
  const budget = new RingBudget(0)
  const past = pastOf({ budget })
  see(past, 1)
  const frame = testFrame(2, Buffer.alloc(50))
  past.sent({ type: 'frame', frame })
  expect(past.context).toMatchObject({ framesSeen: 1, frames: [], seam: null })
  expect(past.unsettled).toEqual([{ type: 'frame', frame }])
  expect(budget.heldBytes).toBe(frameBytes(frame))
  past.forget()
  past.forget()
  expect(budget.heldBytes).toBe(0)
})

test('the largest gives first: one with large frames leaves those with small ones what they have', () => {
  const budget = new RingBudget(60_000)
  const small = Array.from({ length: 4 }, () => pastOf({ budget }))
  const large = pastOf({ budget })
  for (let seq = 1; seq <= 5; seq++) for (const past of small) see(past, seq)
  for (let seq = 1; seq <= 5; seq++) see(large, seq, {}, 20_000)
  expect(small.map((past) => past.context.frames.length)).toEqual([5, 5, 5, 5])
  expect(seqsOf(large)).toEqual([4, 5])
})

/** What happens to one of several sessions. */
type Step = { session: number } & (
  | { kind: 'send'; bytes: number }
  | { kind: 'outcome'; of: 'seen' | 'blank' | 'drop' }
  | { kind: 'epoch' }
  | { kind: 'over' }
)

const step: fc.Arbitrary<Step> = fc
  .tuple(
    fc.nat(3),
    fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('send' as const), bytes: fc.nat(3000) }) },
      {
        weight: 6,
        arbitrary: fc.record({
          kind: fc.constant('outcome' as const),
          of: fc.constantFrom('seen' as const, 'seen' as const, 'blank' as const, 'drop' as const)
        })
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('epoch' as const) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('over' as const) }) }
    )
  )
  .map(([session, rest]) => ({ session, ...rest }))

interface Model {
  past: SessionPast
  waiting: ValidFrame[]
  seen: number[]
  epoch: number
}

test('whatever happens: frames without outcome are all there, those that were seen are the last ones, the budget holds', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 200 }),
      fc.integer({ min: 1, max: 40_000 }),
      (steps, capacity) => {
        const budget = new RingBudget(capacity)
        const fresh = (): Model => ({ past: pastOf({ budget }), waiting: [], seen: [], epoch: 1 })
        const models = [fresh(), fresh(), fresh(), fresh()]
        let seq = 0
        for (const action of steps) {
          const model = models[action.session]!
          if (action.kind === 'over') {
            model.past.forget()
            models[action.session] = fresh()
          } else take(model, action, ++seq)
          expectRight(models, budget)
        }
      }
    ),
    { numRuns: 200 }
  )
})

function take(model: Model, action: Exclude<Step, { kind: 'over' }>, seq: number): void {
  const { past } = model
  if (action.kind === 'send') {
    const frame = testFrame(seq, Buffer.alloc(action.bytes))
    model.waiting.push(frame)
    return past.sent({ type: 'frame', frame })
  }
  if (action.kind === 'epoch') {
    model.epoch += 1
    model.seen = []
    return past.answered({ type: 'reset', seq: null, epoch: model.epoch, reason: 'sceneCut' })
  }
  const frame = model.waiting.shift()
  if (!frame) return
  if (action.of === 'drop') past.settle({ type: 'drop', seq: frame.header.seq, reason: 'superseded' })
  else past.settle(resultOf(frame, { epoch: model.epoch, flag: action.of === 'blank' ? flags.blank : 0 }))
  if (action.of === 'seen') model.seen.push(frame.header.seq)
}

function expectRight(models: Model[], budget: RingBudget): void {
  for (const { past, waiting, seen, epoch } of models) {
    expect(past.unsettled.map((command) => command.type === 'frame' && command.frame)).toEqual(waiting)
    const kept = seqsOf(past)
    expect(kept.length).toBeLessThanOrEqual(shape.recent)
    expect(kept).toEqual(seen.slice(seen.length - kept.length))
    expect(past.context).toMatchObject({ epoch, framesSeen: seen.length })
  }
  expect(budget.heldBytes).toBe(models.reduce((sum, { past }) => sum + past.heldBytes, 0))
  const canGive = models.some(({ past }) => past.context.frames.length > 0)
  if (canGive) expect(budget.heldBytes).toBeLessThanOrEqual(budget.capacityBytes)
}

test('a depth map is read where it lies in a larger buffer', () => {
  const past = pastOf()
  const frame = testFrame(1, Buffer.from('x'))
  past.sent({ type: 'frame', frame })
  const { message } = resultOf(frame, { epoch: 2, flag: flags.first })
  const larger = Buffer.concat([Buffer.from('abc'), message])
  past.settle({ type: 'result', seq: 1, message: larger.subarray(3) })
  expect(past.context.epoch).toBe(2)
  expect(decodeMessage(past.context.seam!).header.seq).toBe(1)
})
