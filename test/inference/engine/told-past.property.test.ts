import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { checkPast } from '../../../bench/faults/checks/past.ts'
import { noLine, picture, pictureSize, readDepth } from '../../../bench/faults/picture.ts'
import type { SessionRecord } from '../../../bench/faults/record.ts'
import { SessionLog } from '../../../bench/faults/session-log.ts'
import { RingBudget } from '../../../src/sessions/gateway/past/ring-budget.ts'
import { SessionPast } from '../../../src/sessions/gateway/past/session-past.ts'
import { isFrameOutcome } from '../../../src/sessions/sessions.ts'
import type { SessionContext, SessionEvent } from '../../../src/session.ts'
import { decodeMessage } from '../../../src/wire/frame.ts'
import { BudgetedExecutor } from '../budgeted-executor.ts'
import { fakeEngine, openSession } from '../fake-engine.ts'
import type { TestSession } from '../fake-engine.ts'
import { frameOf } from '../frames.ts'

const action = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('frames' as const), count: fc.integer({ min: 1, max: 30 }) })
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('reset' as const, 'crash' as const, 'park' as const) })
  },
  {
    weight: 3,
    arbitrary: fc.record({
      // Its worker gives it to another, or is lost and its gateway has another open it.
      ...{ kind: fc.constantFrom('move' as const, 'lose' as const), withLatents: fc.boolean() },
      /** Host memory of the next worker for frames and for parked caches. */
      ...{ keepsFrames: fc.boolean(), keepsParked: fc.boolean() }
    })
  }
)
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never
type Place = Extract<Action, { keepsFrames: boolean }>
const setting = fc.record({
  /** Of the gateway, in frames. */
  ringFrames: fc.constantFrom(0, 6, 1000),
  actions: fc.array(action, { maxLength: 14, size: 'max' })
})

const key = 'told'
const config = { delivery: 'lossless', sceneCut: false } as const
const rgb = (seq: number) => frameOf(seq, 'rgb24', picture(key, seq), pictureSize)

/** A session, the workers that it has one after another, and what its gateway keeps of it. */
class Life {
  readonly #log = new SessionLog({
    ...{ key, id: key, delivery: 'lossless', graceMs: 0, hearsEpochs: true, isTold: true }
  })
  readonly #ring: RingBudget
  #past: SessionPast | null = null
  #executor = new BudgetedExecutor(10_000_000)
  #session: TestSession | null = null
  #heard = 0
  #seq = -1

  constructor(ringFrames: number) {
    this.#ring = new RingBudget(ringFrames * rgb(0).message.byteLength)
  }

  get record(): SessionRecord {
    return this.#log.record
  }

  async begin(place: Pick<Place, 'keepsFrames' | 'keepsParked'>, context?: SessionContext): Promise<void> {
    await this.#session?.close()
    this.#executor = new BudgetedExecutor(10_000_000)
    const engine = fakeEngine({
      executor: this.#executor,
      replayBytes: place.keepsFrames ? 10_000_000 : 0,
      parkedBytes: place.keepsParked ? 10_000_000 : 0
    })
    onTestFinished(() => engine.closeAll())
    this.#session = await openSession(engine, key, config, 'ovda', context)
    this.#heard = 0
    if (this.#past) return
    const { epoch, replay: shape } = this.#session.opened
    this.#past = new SessionPast({ budget: this.#ring, shape, epoch, isNew: true })
    this.#log.note({ type: 'opened', epoch })
  }

  async act(action: Action): Promise<void> {
    const session = this.#session!
    if ('withLatents' in action) {
      if (action.kind === 'lose') return this.begin(action, this.#past!.context)
      const context = await session.context({ latents: action.withLatents })
      this.#hear()
      return this.begin(action, context)
    }
    if ('count' in action) for (let sent = 0; sent < action.count; sent++) this.#send()
    else if (action.kind === 'crash') this.#executor.crash()
    else if (action.kind === 'park') await session.park()
    else session.reset()
    await session.flush()
    this.#hear()
  }

  #send(): void {
    const frame = rgb(++this.#seq)
    this.#log.note({ type: 'sent', seq: this.#seq })
    this.#past!.sent({ type: 'frame', frame })
    this.#session!.submit(frame)
  }

  #hear(): void {
    const { events } = this.#session!
    for (const event of events.slice(this.#heard)) this.#take(event)
    this.#heard = events.length
  }

  #take(event: SessionEvent): void {
    if (isFrameOutcome(event)) this.#past!.settle(event)
    else if (event.type === 'reset' || event.type === 'recovered') this.#past!.answered(event)
    if (event.type === 'reset') this.#log.note({ type: 'reset', epoch: event.epoch })
    else if (event.type === 'recovered') this.#log.note({ alignment: noLine, ...event })
    else if (event.type === 'flushed')
      this.#log.note({ type: 'flushed', digest: { epoch: event.epoch, hex: event.digest } })
    else if (event.type === 'result') {
      const { header, payload } = decodeMessage(event.message)
      const depth = readDepth(payload, key, event.seq) ?? 'foreign'
      this.#log.note({ type: 'result', seq: event.seq, epoch: header.epoch, depth })
    } else expect.unreachable(`nothing else is told: ${JSON.stringify(event)}`)
  }
}

test('whatever becomes of a past, however often, its client is told before the first frame that shows it', async () => {
  const run = async ({ ringFrames, actions }: { ringFrames: number; actions: Action[] }): Promise<void> => {
    const life = new Life(ringFrames)
    await life.begin({ keepsFrames: true, keepsParked: true })
    for (const one of actions) await life.act(one)
    await life.act({ kind: 'frames', count: 2 })
    expect(checkPast(life.record)).toEqual([])
    expect(life.record.entries.filter(({ type }) => type === 'result').length).toBeGreaterThan(1)
  }
  await fc.assert(fc.asyncProperty(setting, run), { numRuns: 60 })
})
