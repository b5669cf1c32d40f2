import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { LeadlineError } from '../../../src/errors.ts'
import type { SessionConfig, SessionContext, SessionEvent } from '../../../src/session.ts'
import { fakeEngine, openSession } from '../fake-engine.ts'
import { frameOf, patches } from '../frames.ts'

const numRuns = Math.ceil(Number(process.env.LEADLINE_TEST_MESSAGES ?? 20_000) / 100)
/** The same contexts each time; another number, others. */
const seed = Number(process.env.LEADLINE_TEST_SEED ?? 1)
const size = { width: 56, height: 28 }
const frame = (seq: number, of = size) => frameOf(seq, 'rgb24', patches(seq, of), of)
const wishes: SessionConfig = { delivery: 'lossless', cacheSize: 8, stabilize: true, steadyRange: true }

/** What stands anywhere in a context, as a path from its top. */
function paths(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return [path]
  return [path, ...Object.entries(value).flatMap(([key, member]) => paths(member, [...path, key]))]
}

function changedAt(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by
  const members = Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) }
  const record = members as Record<string, unknown>
  record[key] = changedAt(record[key], rest, by)
  return members
}

const anything = fc.oneof(
  fc.constantFrom<unknown>(0, -1, 1e308, -1e308, 1e-320, 65_535, 2 ** 31, 0.5, null, '', [], {}, true),
  fc.jsonValue(),
  fc.uint8Array({ maxLength: 90 }).map((bytes) => Buffer.from(bytes).toString('base64'))
)
/** What only the engine itself makes: by others it may be anything. */
const forgery = fc.oneof(
  fc.record({ part: fc.constant('notes' as const), at: fc.nat(), by: anything }),
  fc.record({ part: fc.constant('latents' as const), by: fc.option(fc.uint8Array({ maxLength: 300 })) }),
  fc.record({ part: fc.constant('seam' as const), by: fc.option(fc.uint8Array({ maxLength: 300 })) }),
  fc.record({ part: fc.constant('digest' as const), by: fc.option(fc.stringMatching(/^[0-9a-f]{64}$/)) }),
  fc.record({ part: fc.constant('framesSeen' as const), by: fc.option(fc.nat()) }),
  fc.record({ part: fc.constant('epoch' as const), by: fc.nat(2 ** 32 - 2) }),
  fc.record({ part: fc.constant('frames' as const), keep: fc.nat(6), other: fc.boolean() })
)
type Forgery = typeof forgery extends fc.Arbitrary<infer T> ? T : never

function forged(context: SessionContext, by: Forgery): SessionContext {
  if (by.part === 'notes') {
    const all = paths(context.notes)
    return { ...context, notes: changedAt(context.notes, all[by.at % all.length] ?? [], by.by) }
  }
  if (by.part === 'frames') {
    const frames = context.frames.slice(0, by.keep)
    return { ...context, frames: by.other ? [...frames, frame(90, { width: 70, height: 28 })] : frames }
  }
  return { ...context, [by.part]: by.by }
}

test('from a context that somebody made up a session goes on, or is refused by name', async () => {
  const engine = fakeEngine()
  onTestFinished(() => engine.closeAll())
  const first = await openSession(engine, 'first', wishes, 'ovda')
  for (let seq = 1; seq <= 5; seq++) first.submit(frame(seq))
  const saved = await engine.context('first', { latents: true })
  let opened = 0
  let count = 0
  await fc.assert(
    fc.asyncProperty(fc.array(forgery, { minLength: 1, maxLength: 3 }), async (forgeries) => {
      const id = `forged-${count++}`
      const events: SessionEvent[] = []
      try {
        const session = await openSession(engine, id, wishes, 'ovda', forgeries.reduce(forged, saved))
        for (const seq of [100, 101]) session.submit(frame(seq))
        engine.flush(id, 'end')
        await session.until(
          ({ type, ...event }) =>
            type === 'flushed' || (type === 'error' && 'seq' in event && event.seq === null)
        )
        events.push(...session.events)
        opened += 1
      } catch (error) {
        if (!(error instanceof LeadlineError)) throw error
        expect(error.code, error.message).toBe('CONTEXT_INVALID')
        return
      } finally {
        await engine.close(id)
      }
      const codes = events.flatMap((event) => (event.type === 'error' ? [event.code] : []))
      expect(codes.filter((code) => code !== 'EXECUTOR_FAILED')).toEqual([])
      const outcomes = events.filter((event) => 'seq' in event && event.seq !== null && event.seq >= 100)
      expect(outcomes.length).toBeGreaterThanOrEqual(2)
    }),
    { numRuns, seed }
  )
  expect(opened).toBeGreaterThan(numRuns / 20)
  expect(opened).toBeLessThan(numRuns)
}, 3_600_000)
