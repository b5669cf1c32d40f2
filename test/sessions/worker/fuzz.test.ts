import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { isErrorCode } from '../../../src/errors.ts'
import type { SessionContext, SessionOptions } from '../../../src/session.ts'
import { outputOptions } from '../../../src/wire/output.ts'
import { InProcessLink } from '../../../src/sessions/embedded/in-process-link.ts'
import { MemorySessionStore } from '../../../src/sessions/embedded/memory-session-store.ts'
import type { SessionCommand, WorkerEvent, WorkerNote } from '../../../src/sessions/link.ts'
import { storeTimes } from '../../../src/sessions/session-store.ts'
import type { DepthlessOutcome } from '../../../src/sessions/sessions.ts'
import { SessionWorker } from '../../../src/sessions/worker/session-worker.ts'
import { eventually } from '../../helpers/eventually.ts'
import { HashEngine, hashModel, hashAccount, hashOptions, testFrame } from '../../helpers/hash-engine.ts'
import { quietLog } from '../../helpers/quiet-log.ts'

/** In CI; a million shows more. */
const numMessages = Number(process.env.LEADLINE_TEST_MESSAGES ?? 10_000)
const maxSteps = 60
/** The same messages each time; another number, others. */
const seed = Number(process.env.LEADLINE_TEST_SEED ?? 1)

const ids = ['a', 'b', 'c'] as const
type Id = (typeof ids)[number] | 'nobody'

type Step =
  /** A session that the store knows, opened as a gateway would. */
  | { do: 'place'; id: (typeof ids)[number]; resumable: boolean }
  /** Under the token that its row has, or one near it. */
  | { do: 'say'; id: Id; nearby: number; command: SessionCommand }
  /** Another gateway takes it in the store, and says so or not. */
  | { do: 'take'; id: (typeof ids)[number]; afterSeq: number; isSaid: boolean }
  | { do: 'note'; note: WorkerNote }
  | { do: 'wait' }

const seqs = fc.integer({ min: -1, max: 30 })
const frames = fc
  .tuple(seqs, fc.uint8Array({ minLength: 1, maxLength: 9 }))
  .map(([seq, payload]) => testFrame(Math.max(0, seq), payload))
const settled: fc.Arbitrary<DepthlessOutcome> = fc.oneof(
  seqs.map((seq) => ({ type: 'drop' as const, seq, reason: 'superseded' as const })),
  seqs.map((seq) => ({ type: 'error' as const, seq, code: 'FRAME_EMPTY' as const, detail: '' }))
)
const aside = fc.record({ acked: fc.option(seqs), settled: fc.array(settled, { maxLength: 3 }) })
const context: fc.Arbitrary<SessionContext> = fc.record({
  epoch: fc.nat(5),
  framesSeen: fc.option(fc.nat(5)),
  digest: fc.option(fc.stringMatching(/^[0-9a-f]{64}$/)),
  frames: fc.array(frames, { maxLength: 3 }),
  seam: fc.option(fc.uint8Array({ maxLength: 9 })),
  latents: fc.option(fc.uint8Array({ maxLength: 40 })),
  notes: fc.jsonValue()
})
const past = fc.record({
  context,
  isCheckpoint: fc.boolean(),
  told: fc.array(settled, { maxLength: 3 }),
  after: seqs
})
const options: fc.Arbitrary<SessionOptions> = fc.constantFrom(
  hashOptions,
  { ...hashOptions, delivery: 'lossless' as const },
  { ...hashOptions, mode: 'single' as const },
  { ...hashOptions, model: 'none' }
)
const open: fc.Arbitrary<SessionCommand> = fc
  .tuple(options, fc.boolean(), fc.option(past))
  .map(([wishes, resumable, before]) => ({
    ...{ type: 'open' as const, options: wishes, account: hashAccount, resumable },
    ...(before && { past: before })
  }))
const command: fc.Arbitrary<SessionCommand> = fc.oneof(
  { weight: 12, arbitrary: frames.map((frame) => ({ type: 'frame' as const, frame })) },
  {
    weight: 4,
    arbitrary: fc.tuple(frames, aside).map(([frame, beside]) => ({
      ...{ type: 'frame' as const, frame, aside: beside }
    }))
  },
  { weight: 4, arbitrary: aside.map((beside) => ({ type: 'aside' as const, aside: beside })) },
  { weight: 3, arbitrary: fc.string({ maxLength: 3 }).map((id) => ({ type: 'flush' as const, id })) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(seqs, fc.constantFrom(0, 10, 2 ** 20))
      .map(([seq, maxBytes]) => ({ type: 'checkpoint' as const, id: 'x', seq, maxBytes }))
  },
  { weight: 2, arbitrary: open },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.string({ maxLength: 3 }), fc.constantFrom('f32' as const, 'u16' as const))
      .map(([id, format]) => ({ type: 'update' as const, id, output: outputOptions({ format }) }))
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.option(seqs), fc.array(settled, { maxLength: 2 }))
      .map(([afterSeq, told]) => ({ type: 'join' as const, afterSeq, settled: told }))
  },
  fc.constantFrom<SessionCommand>({ type: 'reset' }, { type: 'reset' }, { type: 'detach' }, { type: 'close' })
)
const note: fc.Arbitrary<WorkerNote> = fc.oneof(
  fc
    .tuple(fc.constantFrom(...ids, 'nobody'), fc.nat(4), fc.boolean())
    .map(([sessionId, token, isHere]) => ({ type: 'movedIn' as const, sessionId, token, isHere })),
  fc
    .tuple(fc.constantFrom(...ids, 'nobody'), fc.nat(4), options, past)
    .map(([sessionId, token, wishes, before]) => ({
      ...{ type: 'moveIn' as const, from: 'elsewhere' },
      moving: { sessionId, token, options: wishes, account: hashAccount, resumable: true, past: before }
    }))
)
const one = fc.constantFrom(...ids)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('place' as const), id: one, resumable: fc.boolean() })
  },
  {
    weight: 30,
    arbitrary: fc.record({
      do: fc.constant('say' as const),
      id: fc.oneof({ weight: 20, arbitrary: one }, fc.constant('nobody' as const)),
      nearby: fc.oneof({ weight: 20, arbitrary: fc.constant(0) }, fc.integer({ min: -2, max: 3 })),
      command
    })
  },
  {
    weight: 2,
    arbitrary: fc.record({
      ...{ do: fc.constant('take' as const), id: one, afterSeq: seqs, isSaid: fc.boolean() }
    })
  },
  { weight: 1, arbitrary: note.map((told) => ({ do: 'note' as const, note: told })) },
  { weight: 8, arbitrary: fc.constant({ do: 'wait' as const }) }
)

const pause = () => new Promise<void>((resolve) => setImmediate(resolve))
let numRuns = 0
const reached = new Map<string, number>()

async function worker() {
  const store = new MemorySessionStore({ ...storeTimes, workerTtlMs: Infinity, gatewayTtlMs: Infinity })
  const link = new InProcessLink()
  const engine = new HashEngine(1e6)
  const log = quietLog()
  const served = new SessionWorker({ store, link: link.workerLink(), engine, log, workerId: 'w' })
  await served.start()
  onTestFinished(() => served.close())
  await store.renewGateway('g')
  return { store, link, engine, served }
}

/** What came that no list has. */
const unlisted: string[] = []

function hear(event: WorkerEvent): void {
  reached.set(event.type, (reached.get(event.type) ?? 0) + 1)
  if ('code' in event && !isErrorCode(event.code)) unlisted.push(event.code)
}

async function play(steps: readonly Step[], { store, link, engine }: Awaited<ReturnType<typeof worker>>) {
  let count = 0
  /** Each run has sessions of its own. */
  const run = `${++numRuns} `
  const attached = new Map<string, ReturnType<typeof link.attach>>()
  const say = (sessionId: string, token: number, told: SessionCommand): void => {
    const key = `${sessionId} ${token}`
    const line = attached.get(key) ?? link.attach({ sessionId, token, workerId: 'w' }, hear)
    attached.set(key, line)
    line.send(told)
  }
  const tokenOf = async (sessionId: string) => (await store.session(sessionId))?.token ?? 1
  for (const now of steps) {
    if (now.do === 'wait') await pause()
    if (now.do === 'note') await link.tell('w', now.note)
    if (now.do === 'say') {
      const sessionId = run + now.id
      say(sessionId, Math.max(1, (await tokenOf(sessionId)) + now.nearby), now.command)
    }
    if (now.do === 'place') {
      const [row] = (await store.workers()).live
      const opened = await store.openSession({
        ...{ id: run + now.id, model: 'hash', modelDigest: hashModel.digest, mode: 'ovda', bytes: 100 },
        ...{ workerId: 'w', workerInstance: row?.instance ?? '', gatewayId: 'g', tokenHash: `${++count}` },
        ...{ owner: null, resumable: now.resumable, graceMs: now.resumable ? 60_000 : 0, priority: 5 }
      })
      if (opened.kind !== 'opened') continue
      say(run + now.id, opened.token, {
        type: 'open',
        options: hashOptions,
        account: hashAccount,
        resumable: now.resumable
      })
    }
    if (now.do === 'take') {
      const before = await store.session(run + now.id)
      if (!before) continue
      const taken = await store.takeSession({
        ...{ id: run + now.id, owner: null, tokenHash: before.tokenHash },
        ...{ newTokenHash: `${++count}`, gatewayId: 'g' }
      })
      if (taken.kind === 'unknown' || !now.isSaid) continue
      const row = await store.session(run + now.id)
      if (row) say(run + now.id, row.token, { type: 'adopt', afterSeq: now.afterSeq, row })
    }
  }
  // Whoever may end it does; what nobody has a right to any more went when that was seen.
  for (const id of [...ids, 'nobody'])
    for (let token = 1; token < 12; token++) say(run + id, token, { type: 'close' })
  await eventually(() => [...engine.sessions.keys()].filter((id) => id.startsWith(run)).length).toBe(0)
  for (const line of attached.values()) line.detach()
}

test('whatever gateways and workers say to a worker, it serves on, and frees what it had', async () => {
  const { engine, store, ...rest } = await worker()
  const steps = fc.array(step, { maxLength: maxSteps, size: 'max' })
  // A third of the steps are no messages.
  const wanted = Math.ceil(numMessages / (maxSteps / 3))
  await fc.assert(
    fc.asyncProperty(steps, (one) => play(one, { engine, store, ...rest })),
    { numRuns: wanted, seed }
  )
  expect(unlisted).toEqual([])
  expect([...reached.keys()]).toEqual(
    expect.arrayContaining([
      ...['opened', 'openFailed', 'adopted', 'taken', 'closed', 'result', 'drop', 'error', 'reset'],
      ...['flushed', 'updated', 'checkpoint', 'checkpointFailed']
    ])
  )
  await eventually(() => engine.sessions.size).toBe(0)
  await eventually(async () => (await store.workers()).live[0]?.reservedBytes).toBe(0)
}, 3_600_000)
