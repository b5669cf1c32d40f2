import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ValidFrame } from '../../../src/wire/frame.ts'
import { expectedDepths } from '../../../src/inference/executors/fake/fake.ts'
import type { Engine } from '../../../src/inference/engine/engine.ts'
import { deliveries } from '../../../src/session.ts'
import type { SessionEvent } from '../../../src/session.ts'
import { BudgetedExecutor } from '../budgeted-executor.ts'
import { fingerprint, fakeEngine, openSession, resultsOf } from '../fake-engine.ts'
import type { TestSession } from '../fake-engine.ts'
import { frameOf, patches } from '../frames.ts'

const sizes = [
  { width: 28, height: 28 },
  { width: 42, height: 28 }
]

/** What may happen to an engine with three sessions, its executor included. */
const action = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('frame' as const), session: fc.nat(2), size: fc.nat(1) })
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('corrupt' as const), session: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reset' as const), session: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('halt' as const), session: fc.nat(2), turns: fc.nat(12) })
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('pause' as const), turns: fc.nat(12) }) }
)
const setting = fc.record({
  deliveries: fc.tuple(...[0, 1, 2].map(() => fc.constantFrom(...deliveries))),
  maxBatch: fc.integer({ min: 1, max: 3 }),
  /** Turns of the event loop that each step takes. */
  stepTurns: fc.array(fc.nat(6), { minLength: 1, maxLength: 7 }),
  actions: fc.array(action, { maxLength: 60, size: 'max' }),
  endsBy: fc.constantFrom('flush' as const, 'close' as const)
})

/** A session and what was sent to it: frames by seq, and where the resets were asked for. */
interface Sent {
  session: TestSession
  delivery: (typeof deliveries)[number]
  frames: Map<number, { size: number; corrupt: boolean; resetsBefore: number }>
  resets: number
}

/** The cache is given up for the frame of another size, which is superseded by one of the size before. */
const sizeThatCameAndWent: typeof setting extends fc.Arbitrary<infer Setting> ? Setting : never = {
  deliveries: ['latest', 'latest', 'latest'],
  maxBatch: 1,
  stepTurns: [0],
  actions: [
    { kind: 'frame', session: 2, size: 0 },
    { kind: 'pause', turns: 1 },
    { kind: 'frame', session: 2, size: 0 },
    { kind: 'frame', session: 2, size: 1 },
    { kind: 'frame', session: 2, size: 0 }
  ],
  endsBy: 'flush'
}

test('every accepted frame ends in one outcome, in order, with the depth that its own past gives', async () => {
  await fc.assert(
    fc.asyncProperty(setting, async ({ deliveries: [...wishes], maxBatch, stepTurns, actions, endsBy }) => {
      let steps = 0
      const beforeStep = async (): Promise<void> => {
        for (let turn = stepTurns[steps++ % stepTurns.length] ?? 0; turn > 0; turn--) await nextTurn()
      }
      const executor = new BudgetedExecutor(10_000_000, { fake: { maxBatch, beforeStep } })
      const engine = fakeEngine({ executor })
      try {
        const sent = await Promise.all(
          wishes.map(async (delivery, i): Promise<Sent> => {
            const session = await openSession(engine, String(i), { delivery })
            return { session, delivery, frames: new Map(), resets: 0 }
          })
        )
        let seq = 0
        for (const one of actions) {
          if (one.kind === 'crash') executor.crash()
          else if (one.kind === 'halt') halt(engine, String(one.session), one.turns)
          else if (one.kind === 'pause') for (let turn = 0; turn < one.turns; turn++) await nextTurn()
          else act(sent[one.session]!, one, ++seq)
        }
        await Promise.all(sent.map(({ session }) => (endsBy === 'flush' ? session.flush() : session.close())))
        for (const one of sent) check(one, endsBy)
      } finally {
        await engine.closeAll()
      }
      expect(engine.reservedBytes).toBe(0)
    }),
    { numRuns: 100, examples: [[sizeThatCameAndWent]] }
  )
})

/** It stands still for a while, once it can, if it is not closed first. */
function halt(engine: Engine, id: string, turns: number): void {
  const standing = engine.halt(id).then(async ({ goOn }) => {
    for (let turn = 0; turn < turns; turn++) await nextTurn()
    goOn()
  })
  standing.catch((error: unknown) => expect(error).toMatchObject({ code: 'SESSION_UNKNOWN' }))
}

function act(
  sent: Sent,
  one: { kind: 'frame'; size: number } | { kind: 'corrupt' | 'reset' },
  seq: number
): void {
  if (one.kind === 'reset') {
    sent.resets += 1
    return sent.session.reset()
  }
  const corrupt = one.kind === 'corrupt'
  const size = one.kind === 'frame' ? one.size : 0
  sent.frames.set(seq, { size, corrupt, resetsBefore: sent.resets })
  sent.session.submit(corrupt ? frameOf(seq, 'png', Uint8Array.of(seq)) : goodFrame(seq, size))
}

function goodFrame(seq: number, size: number): ValidFrame {
  return frameOf(seq, 'rgb24', patches(seq, sizes[size]!), sizes[size]!)
}

function check({ session, delivery, frames, resets }: Sent, endsBy: 'flush' | 'close'): void {
  const { events } = session
  expect(events.flatMap(outcomeOf)).toEqual([...frames.keys()])
  for (const event of events) checkKind(event, frames, delivery, endsBy)
  if (endsBy === 'flush') {
    expect(events.filter((event) => event.type === 'reset' && event.reason === 'client')).toHaveLength(resets)
  }
  checkEpochs(events, session.opened.epoch)
  checkValues(events, frames)
}

function outcomeOf(event: SessionEvent): number[] {
  const isOutcome = event.type === 'result' || event.type === 'drop' || event.type === 'error'
  return isOutcome && event.seq !== null ? [event.seq] : []
}

function checkKind(
  event: SessionEvent,
  frames: Sent['frames'],
  delivery: Sent['delivery'],
  endsBy: 'flush' | 'close'
): void {
  if (event.type === 'result') expect(frames.get(event.seq)?.corrupt).toBe(false)
  if (event.type === 'error') expect(frames.get(event.seq!)?.corrupt).toBe(true)
  if (event.type !== 'drop') return
  if (endsBy === 'flush' || event.reason !== 'closed') {
    expect({ delivery, reason: event.reason }).toEqual({ delivery: 'latest', reason: 'superseded' })
  }
}

/** Epochs rise by one with each reset, and a result carries the epoch that was last told. No crash costs any past. */
function checkEpochs(events: readonly SessionEvent[], firstEpoch: number): void {
  let epoch = firstEpoch
  for (const event of events) {
    if (event.type === 'reset') expect(event.epoch).toBe(++epoch)
    if (event.type === 'recovered') expect(event).toMatchObject({ epoch, continuity: 'exact' })
    for (const result of resultsOf([event])) expect(result.epoch).toBe(epoch)
  }
}

/** Within an epoch, the depth of each result is that of a fresh state which saw the results of the epoch so far. */
function checkValues(events: readonly SessionEvent[], frames: Sent['frames']): void {
  const results = resultsOf(events)
  for (const epoch of new Set(results.map((result) => result.epoch))) {
    const mine = results.filter((result) => result.epoch === epoch)
    const sent = mine.map(({ seq }) => frames.get(seq)!)
    expect(new Set(sent.map(({ size, resetsBefore }) => `${size}/${resetsBefore}`)).size).toBe(1)
    const size = sizes[sent[0]!.size]!
    const seen = mine.map(({ seq }) => patches(seq, size))
    const expected = expectedDepths(seen, { mode: 'ovda', ...size }).map(fingerprint)
    expect(mine.map((result) => result.fingerprint)).toEqual(expected)
    expect(mine.map(({ flags }) => flags & 1)).toEqual(mine.map((_, i) => (i === 0 ? 1 : 0)))
  }
}
