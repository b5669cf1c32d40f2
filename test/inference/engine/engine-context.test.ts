import { expect, onTestFinished, test } from 'vitest'
import sharp from 'sharp'
import { decodeMessage, flags } from '../../../src/wire/frame.ts'
import type { ValidFrame } from '../../../src/wire/frame.ts'
import { packContext, unpackContext } from '../../../src/wire/context-bytes.ts'
import type { SessionConfig, SessionContext, SessionEvent } from '../../../src/session.ts'
import { fakeEngine, fingerprint, openSession, resultsOf } from '../fake-engine.ts'
import type { TestSession } from '../fake-engine.ts'
import { frameOf, patches } from '../frames.ts'
import { BudgetedExecutor } from '../budgeted-executor.ts'

const size = { width: 56, height: 28 }
const frame = (seq: number) => frameOf(seq, 'rgb24', patches(seq, size), size)
const framesTo = (last: number) => Array.from({ length: last }, (_, i) => frame(i + 1))
const black = (seq: number) => frameOf(seq, 'rgb24', new Uint8Array(size.width * size.height * 3), size)
const everything: SessionConfig = { delivery: 'lossless', cacheSize: 8, stabilize: true, steadyRange: true }

function engineFor(options: Parameters<typeof fakeEngine>[0] = {}) {
  const engine = fakeEngine(options)
  onTestFinished(() => engine.closeAll())
  return engine
}

async function send(session: TestSession, frames: readonly ValidFrame[]): Promise<void> {
  for (const sent of frames) session.submit(sent)
  await session.flush()
}

/** The depth maps, header and all but for the times. */
function mapsOf(events: readonly SessionEvent[]) {
  return events.flatMap((event) => {
    if (event.type !== 'result') return []
    const { header, payload } = decodeMessage(event.message)
    return [{ ...header, queueUs: 0, computeUs: 0, payload: fingerprint(payload) }]
  })
}

const recoveredOf = (events: readonly SessionEvent[]) => events.filter((event) => event.type === 'recovered')

/** Through bytes and back, as it is kept and sent. */
async function carried(context: SessionContext): Promise<SessionContext> {
  const seq = context.frames.at(-1)?.header.seq ?? -1
  const origin = { model: 'fake', modelDigest: '0'.repeat(64), mode: 'ovda', cacheSize: 8 } as const
  return (await unpackContext(await packContext({ origin, seq, context }))).context
}

/** What it leaves its worker with. */
async function moved(session: TestSession): Promise<SessionContext> {
  return carried(await session.context({ latents: true }))
}

test.each(['ovda', 'vda-stream', 'single'] as const)(
  '%s: a session that goes on from all its frames is the undisturbed one, header for header and bit for bit',
  async (mode) => {
    const config = { ...everything, mode }
    const frames = [...framesTo(9), black(10), ...framesTo(20).slice(10)]
    const [undisturbed, first] = await Promise.all(
      ['a', 'b'].map((id) => openSession(engineFor(), id, config))
    )
    await send(undisturbed!, frames)
    await send(first!, frames.slice(0, 12))
    const context = await carried(await first!.context())
    const second = await openSession(engineFor(), 'c', config, mode, context)
    expect(second.opened).toMatchObject({ continuity: 'exact', epoch: 1 })
    await send(second, frames.slice(12))
    expect(mapsOf(second.events)).toEqual(mapsOf(undisturbed!.events).slice(12))
    expect(second.events[0]).toEqual({ type: 'recovered', seq: 13, epoch: 1, continuity: 'exact' })
    const flushed = (events: readonly SessionEvent[]) => events.filter(({ type }) => type === 'flushed')
    expect(flushed(second.events)).toEqual(flushed(undisturbed!.events))
  }
)

test('the same from the frames as they were received, and nothing else', async () => {
  const large = { width: 112, height: 56 }
  const frames = await Promise.all(
    Array.from({ length: 14 }, async (_, seq) => {
      const pixels = sharp(patches(seq, large), { raw: { ...large, channels: 3 } })
      return frameOf(seq, 'jpeg', await pixels.jpeg().toBuffer())
    })
  )
  const undisturbed = await openSession(engineFor(), 'a', everything)
  await send(undisturbed, frames)
  const context: SessionContext = {
    ...{ epoch: 1, framesSeen: 10, digest: null, seam: null, latents: null, notes: null },
    frames: frames.slice(0, 10)
  }
  const session = await openSession(engineFor(), 'b', everything, 'ovda', context)
  expect(session.opened.continuity).toBe('exact')
  await send(session, frames.slice(10))
  expect(mapsOf(session.events)).toEqual(mapsOf(undisturbed.events).slice(10))
})

test('with its latents a session goes on exactly however long it was', async () => {
  const frames = framesTo(60)
  const [undisturbed, first] = await Promise.all(
    ['a', 'b'].map((id) => openSession(engineFor(), id, everything))
  )
  await send(undisturbed!, frames)
  await send(first!, frames.slice(0, 50))
  const second = await openSession(
    ...([engineFor(), 'c', everything, 'ovda'] as const),
    await carried(await first!.context({ latents: true }))
  )
  expect(second.opened).toMatchObject({ continuity: 'exact', epoch: 1 })
  await send(second, frames.slice(50))
  expect(mapsOf(second.events)).toEqual(mapsOf(undisturbed!.events).slice(50))
  // What it was given is what it gives.
  const { latents, ...rest } = await second.context({ latents: true })
  const { latents: same, ...original } = await undisturbed!.context({ latents: true })
  expect(rest).toEqual(original)
  expect(Buffer.compare(latents!, same!)).toBe(0)
})

test('latents that the executor does not take are made anew from the frames, and it is said', async () => {
  const first = await openSession(engineFor(), 'a', everything)
  await send(first, framesTo(40))
  const context = { ...(await first.context({ latents: true })), latents: Uint8Array.of(1, 2, 3) }
  const second = await openSession(engineFor(), 'b', everything, 'ovda', context)
  await send(second, [frame(41)])
  expect(recoveredOf(second.events)).toMatchObject([{ seq: 41, epoch: 2, continuity: 'rebuilt' }])
})

test('less than all that the cache had seen is rebuilt, in an epoch of its own, joined to the last map', async () => {
  const frames = framesTo(60)
  const first = await openSession(engineFor(), 'a', everything)
  await send(first, frames.slice(0, 50))
  const context = await carried(await first.context())
  expect(context).toMatchObject({ epoch: 1, framesSeen: 50, latents: null })
  expect(context.frames.map(({ header }) => header.seq)).toEqual(Array.from({ length: 22 }, (_, i) => 29 + i))
  const second = await openSession(engineFor(), 'b', everything, 'ovda', context)
  expect(second.opened).toMatchObject({ continuity: 'rebuilt', epoch: 2 })
  await send(second, frames.slice(50))
  expect(recoveredOf(second.events)).toEqual([
    {
      ...{ type: 'recovered', seq: 51, epoch: 2, continuity: 'rebuilt' },
      // The fake's maps of two pasts differ by a line.
      alignment: { scale: expect.any(Number), offset: expect.any(Number), residual: expect.closeTo(0, 5) }
    }
  ])
})

test('a context is never more than it proves', async () => {
  const first = await openSession(engineFor(), 'a', everything)
  await send(first, framesTo(9))
  const context = await carried(await first.context())
  const { frames } = context
  const bare = { ...context, notes: null }
  const cases: [SessionContext, string][] = [
    [{ ...bare, framesSeen: null }, 'rebuilt'],
    [{ ...bare, frames: [...frames.slice(0, 3), ...frames.slice(4)] }, 'rebuilt'],
    [{ ...bare, frames: [frames[1]!, frames[0]!, ...frames.slice(2)] }, 'rebuilt'],
    [{ ...bare, frames: frames.slice(1), framesSeen: 8 }, 'rebuilt'],
    [{ ...bare, frames: [] }, 'new'],
    [{ ...bare, frames: [], framesSeen: null, digest: null }, 'new'],
    [bare, 'exact'],
    [{ ...bare, frames: [], framesSeen: 0, digest: null }, 'exact']
  ]
  for (const [less, continuity] of cases) {
    const session = await openSession(engineFor(), 'b', everything, 'ovda', less)
    expect(session.opened).toMatchObject({ continuity, epoch: continuity === 'exact' ? 1 : 2 })
    await send(session, [frame(20)])
    expect(recoveredOf(session.events)).toMatchObject([{ seq: 20, continuity }])
  }
})

test('what was rebuilt and told to nobody is told where the session goes on, with how its depth is joined', async () => {
  const first = await openSession(engineFor(), 'a', everything)
  await send(first, framesTo(50))
  const context = await first.context()
  const fewer = { ...context, latents: null, framesSeen: null, notes: null, frames: context.frames.slice(-3) }
  const [told, moved] = await Promise.all(
    ['b', 'c'].map((id) => openSession(engineFor(), id, everything, 'ovda', fewer))
  )
  const third = await openSession(
    ...([engineFor(), 'd', everything, 'ovda'] as const),
    await carried(await moved!.context({ latents: true }))
  )
  for (const session of [told!, third]) await send(session, framesTo(52).slice(50))
  expect(recoveredOf(third.events)).toMatchObject([{ seq: 51, epoch: 2, continuity: 'rebuilt' }])
  expect(recoveredOf(third.events)).toEqual(recoveredOf(told!.events))
  expect(mapsOf(third.events)).toEqual(mapsOf(told!.events))
})

test.each([
  ['of which nothing was kept', { framesSeen: null, digest: null }],
  ['that was known, and of which nothing was kept', {}]
])('a past %s is lost as well where the session goes on before anybody was told', async (_, known) => {
  const first = await openSession(engineFor(), 'a', everything)
  await send(first, framesTo(9))
  const nothing = { ...(await first.context()), latents: null, notes: null, frames: [], ...known }
  const second = await openSession(engineFor(), 'b', everything, 'ovda', nothing)
  expect(second.opened).toMatchObject({ continuity: 'new', epoch: 2 })
  const third = await openSession(engineFor(), 'c', everything, 'ovda', await moved(second))
  const last = await openSession(engineFor(), 'd', everything, 'ovda', await moved(third))
  await send(last, [frame(10), frame(11)])
  const { epoch } = last.opened
  expect(epoch).toBeGreaterThan(1)
  expect(recoveredOf(last.events)).toEqual([{ type: 'recovered', seq: 10, epoch, continuity: 'new' }])
  expect(mapsOf(last.events)).toMatchObject([
    { seq: 10, epoch, flags: flags.first },
    { seq: 11, epoch, flags: 0 }
  ])
  // It was told now.
  const told = await openSession(engineFor(), 'e', everything, 'ovda', await moved(last))
  expect(told.opened).toMatchObject({ continuity: 'exact', epoch })
})

test('so is one of which an executor that died left nothing', async () => {
  const executor = new BudgetedExecutor(10_000_000)
  const first = await openSession(engineFor({ executor, replayBytes: 0 }), 'a', everything)
  await send(first, framesTo(9))
  executor.crash()
  const second = await openSession(engineFor(), 'b', everything, 'ovda', await moved(first))
  await send(second, [frame(10)])
  const { epoch } = second.opened
  expect(epoch).toBeGreaterThan(1)
  expect(recoveredOf(second.events)).toEqual([{ type: 'recovered', seq: 10, epoch, continuity: 'new' }])
})

test('what was learned with another window is rebuilt, and not taken over', async () => {
  const first = await openSession(engineFor(), 'a', everything)
  await send(first, framesTo(5))
  const context = await first.context({ latents: true })
  const second = await openSession(engineFor(), 'b', { ...everything, cacheSize: 16 }, 'ovda', context)
  expect(second.opened.continuity).toBe('rebuilt')
})

test('a context that makes no sense is refused, and so is one for an offline window', async () => {
  const first = await openSession(engineFor(), 'a', everything)
  await send(first, framesTo(3))
  const context = await first.context()
  const open = (mode: 'ovda' | 'vda-window', wrong: object) =>
    openSession(engineFor(), 'b', everything, mode, { ...context, ...wrong })
  await expect(open('ovda', { notes: { version: 0 } })).rejects.toMatchObject({ code: 'CONTEXT_INVALID' })
  await expect(open('ovda', { frames: [] })).rejects.toMatchObject({ code: 'CONTEXT_INVALID' })
  await expect(open('vda-window', {})).rejects.toMatchObject({ code: 'MODEL_MODE_UNSUPPORTED' })
  const broken = { notes: null, seam: Uint8Array.of(1, 2) }
  await expect(open('ovda', broken)).rejects.toMatchObject({ code: 'CONTEXT_INVALID' })
})

test('a context follows the outcome of every frame before it, and none after it', async () => {
  const engine = engineFor()
  const session = await openSession(engine, 'a', everything)
  for (const sent of framesTo(4)) session.submit(sent)
  const context = session.context()
  for (const seq of [5, 6, 7]) session.submit(frame(seq))
  expect((await context).frames.map(({ header }) => header.seq)).toEqual([1, 2, 3, 4])
  await session.flush()
  expect(resultsOf(session.events).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7])
  const late = session.context()
  await session.close()
  await expect(late).rejects.toMatchObject({ code: 'SESSION_UNKNOWN' })
  await expect(engine.context('nobody')).rejects.toMatchObject({ code: 'SESSION_UNKNOWN' })
})

test('a cache that is lost while it is made anew is made anew again, and whole only then', async () => {
  const first = await openSession(engineFor(), 'a', everything)
  await send(first, framesTo(50))
  const context = await carried(await first.context())
  const calm = await openSession(engineFor(), 'b', everything, 'ovda', context)
  const executor = new BudgetedExecutor(10_000_000)
  const stormy = engineFor({ executor })
  const session = await openSession(stormy, 'c', everything, 'ovda', context)
  for (let i = 0; i < 5; i++) {
    executor.crash()
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(await stormy.whole('c')).toBe('rebuilt')
  for (const one of [calm, session]) await send(one, framesTo(55).slice(50))
  expect(mapsOf(session.events)).toEqual(mapsOf(calm.events))
  expect(recoveredOf(session.events)).toEqual(recoveredOf(calm.events))
})
