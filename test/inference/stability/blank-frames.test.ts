import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { decodeMessage, flags } from '../../../src/wire/frame.ts'
import { expectedDepths } from '../../../src/inference/executors/fake/fake.ts'
import { OrtNodeExecutor } from '../../../src/inference/executors/ort-node/ort-node.ts'
import { inferSequence } from '../../../src/inference/evaluation/infer-sequence.ts'
import type { Manifest } from '../../../src/manifest.ts'
import type { SessionConfig, SessionEvent } from '../../../src/session.ts'
import { generateClip } from '../../../src/video/index.ts'
import { BudgetedExecutor } from '../budgeted-executor.ts'
import { fakeEngine, fingerprint, openSession, resultsOf } from '../fake-engine.ts'
import { frameOf, patches } from '../frames.ts'
import { relit, sensorNoise } from '../pictures.ts'

const size = { width: 56, height: 28 }
const flat = (level: number) => new Uint8Array(size.width * size.height * 3).fill(level)
const blanks: [string, Uint8Array][] = [
  ['black', flat(0)],
  ['the noise of a sensor', sensorNoise(1, size, { level: 0, deviation: 10 })],
  ['a decoder’s grey', flat(128)],
  ['white', flat(255)]
]
const film = Array.from({ length: 50 }, (_, i) => patches(i, size))
const streamModes = ['ovda', 'vda-stream'] as const

/** Events of a session that is sent these frames, numbered from 0. */
async function play(frames: readonly Uint8Array[], config: SessionConfig = {}, engine = fakeEngine()) {
  onTestFinished(() => engine.closeAll())
  const session = await openSession(engine, 'a', { delivery: 'lossless', ...config })
  for (const [seq, rgb] of frames.entries()) session.submit(frameOf(seq, 'rgb24', rgb, size))
  await session.flush()
  return session.events
}

const depthsOf = (frames: readonly Uint8Array[], mode: (typeof streamModes)[number]) =>
  expectedDepths(frames, { mode, ...size }).map(fingerprint)
const isBlankOf = (events: readonly SessionEvent[]) =>
  resultsOf(events).map((result) => (result.flags & flags.blank) !== 0)
/** Fingerprints of the maps of frames that show something. */
const shownOf = (events: readonly SessionEvent[]) =>
  resultsOf(events).flatMap((result) => (result.flags & flags.blank ? [] : [result.fingerprint]))

for (const mode of streamModes) {
  test.each(blanks)(
    `a ${mode} stream that begins with %s has the depth of one that does not`,
    async (_, blank) => {
      const events = await play([blank, blank, blank, ...film], { mode, sceneCut: false })
      expect(isBlankOf(events)).toEqual([true, true, true, ...film.map(() => false)])
      expect(shownOf(events)).toEqual(depthsOf(film, mode))
    }
  )

  test.each(blanks)(
    `after %s in the midst of a ${mode} stream depth is as if it had not been`,
    async (_, blank) => {
      for (const at of [1, 20, 45]) {
        const frames = [...film.slice(0, at), blank, blank, ...film.slice(at)]
        const events = await play(frames, { mode, sceneCut: false })
        expect(isBlankOf(events)).toEqual(frames.map((frame) => frame === blank))
        expect(shownOf(events)).toEqual(depthsOf(film, mode))
      }
    }
  )

  test(`a ${mode} stream whose executor is lost around blank frames is made anew without them`, async () => {
    const few = film.slice(0, 6)
    const frames = [flat(0), ...few.slice(0, 3), flat(255), flat(0), ...few.slice(3)]
    for (let lossAt = 1; lossAt <= frames.length; lossAt++) {
      let steps = 0
      const beforeStep = async () => {
        if (++steps === lossAt) executor.crash()
      }
      const executor: BudgetedExecutor = new BudgetedExecutor(10_000_000, { fake: { beforeStep } })
      const events = await play(frames, { mode, sceneCut: false }, fakeEngine({ executor }))
      expect(isBlankOf(events)).toEqual(frames.map((frame) => !few.includes(frame)))
      expect(shownOf(events)).toEqual(depthsOf(few, mode))
      const recovered = events.filter(({ type }) => type === 'recovered')
      // Nothing was lost before the first frame that shows something.
      expect(recovered.map((event) => event.type === 'recovered' && event.continuity)).toEqual(
        lossAt <= 2 ? [] : ['exact']
      )
    }
  })
}

test('the depth of a blank frame is what the network makes of it with the memory there is', async () => {
  const [first, second] = film as [Uint8Array, Uint8Array]
  const events = await play([flat(0), first, second, flat(0)], { sceneCut: false })
  const maps = resultsOf(events).map((result) => result.fingerprint)
  expect(maps[0]).toBe(depthsOf([flat(0)], 'ovda')[0])
  expect(maps[3]).toBe(depthsOf([first, second, flat(0)], 'ovda')[2])
})

test('every epoch has one first frame that shows something, and one that does not where it begins with such', async () => {
  const events = await play([flat(0), flat(0), film[0]!, flat(0), film[1]!])
  expect(resultsOf(events).map((result) => result.flags)).toEqual([
    flags.first | flags.blank,
    flags.blank,
    flags.first,
    flags.blank,
    0
  ])
})

test('streams that share a step keep their memories apart from each other’s blank frames', async () => {
  const engine = fakeEngine()
  onTestFinished(() => engine.closeAll())
  const sent = ['a', 'b', 'c'].map((id, i) => ({
    id,
    frames: film.slice(0, 12).map((rgb, at) => ((at + i) % 3 === 0 ? flat(0) : rgb))
  }))
  const sessions = await Promise.all(
    sent.map(({ id }) => openSession(engine, id, { delivery: 'lossless', sceneCut: false }))
  )
  for (let at = 0; at < 12; at++)
    for (const [i, session] of sessions.entries())
      session.submit(frameOf(at, 'rgb24', sent[i]!.frames[at]!, size))
  await Promise.all(sessions.map((session) => session.flush()))
  for (const [i, { events }] of sessions.entries()) {
    const shown = sent[i]!.frames.filter((rgb) => film.includes(rgb))
    expect(shownOf(events)).toEqual(depthsOf(shown, 'ovda'))
  }
})

test.each([{ stabilize: true }, { steadyRange: true }, { stabilize: true, steadyRange: true }, {}])(
  'with %o nothing of how depth is shown is learned from blank frames',
  async (wishes) => {
    const shown = film.slice(0, 8)
    const mixed = [flat(0), ...shown.slice(0, 4), flat(255), flat(255), ...shown.slice(4)]
    const config = { sceneCut: false, ...wishes }
    const headersOf = (events: readonly SessionEvent[]) =>
      events.flatMap((event) => (event.type === 'result' ? [decodeMessage(event.message).header] : []))
    const isShown = ({ flags: set }: { flags: number }) => (set & flags.blank) === 0
    const withBlanks = await play(mixed, config)
    const without = await play(shown, config)
    expect(shownOf(withBlanks)).toEqual(shownOf(without))
    const rangesOf = (events: readonly SessionEvent[]) =>
      headersOf(events).map(({ rangeMin, rangeMax }) => [rangeMin, rangeMax])
    expect(
      rangesOf(
        withBlanks.filter((event) => event.type === 'result' && isShown(decodeMessage(event.message).header))
      )
    ).toEqual(rangesOf(without))
    // Their own maps are shown as those before them.
    expect(rangesOf(withBlanks)[5]).toEqual(rangesOf(withBlanks)[4])
  }
)

test('a scene that goes on after a lens cap is no cut, and another one is', async () => {
  const shot = (seed: number) => new Array<Uint8Array>(8).fill(patches(seed, size))
  const cap = new Array<Uint8Array>(5).fill(flat(0))
  const resetsOf = (events: readonly SessionEvent[]) => events.filter(({ type }) => type === 'reset')
  expect(resetsOf(await play([...shot(1), ...cap, ...shot(1)]))).toEqual([])
  expect(resetsOf(await play([...shot(1), ...cap, ...shot(2)]))).toEqual([
    { type: 'reset', seq: 13, epoch: 2, reason: 'sceneCut' }
  ])
})

test('a blank frame of another size begins an epoch, as any frame does', async () => {
  const engine = fakeEngine()
  onTestFinished(() => engine.closeAll())
  const session = await openSession(engine, 'a', { delivery: 'lossless' })
  const turned = { width: 28, height: 56 }
  session.submit(frameOf(0, 'rgb24', film[0]!, size))
  session.submit(frameOf(1, 'rgb24', flat(0), turned))
  session.submit(frameOf(2, 'rgb24', patches(2, turned), turned))
  await session.flush()
  expect(session.events.filter(({ type }) => type === 'reset')).toEqual([
    { type: 'reset', seq: 1, epoch: 2, reason: 'resolution' }
  ])
  expect(resultsOf(session.events)[2]!.fingerprint).toBe(
    fingerprint(expectedDepths([patches(2, turned)], { mode: 'ovda', ...turned })[0]!)
  )
})

const nanoFolder = new URL('../../../models/leadline-nano/', import.meta.url)
const nano = {
  manifest: JSON.parse(readFileSync(new URL('manifest.json', nanoFolder), 'utf8')) as Manifest,
  weightsPath: fileURLToPath(new URL('model.safetensors', nanoFolder))
}

test.each(streamModes)(
  'the bundled model in mode %s sees a scene the right way round after dark frames',
  async (mode) => {
    const clipSize = { width: 128, height: 96 }
    const manifest = {
      ...nano.manifest,
      resolution: { ...nano.manifest.resolution, lowerBound: 96, maxArea: 96 * 128 }
    }
    const executor = new OrtNodeExecutor({ threads: 1 })
    onTestFinished(() => executor.close())
    const clip = [...generateClip({ ...clipSize, frames: 4, fps: 12 })]
    const run = async (frames: readonly Uint8Array[]) => {
      const maps: Float32Array[] = []
      const sent = frames.map((rgb) => ({ rgb, ...clipSize }))
      const options = { mode, cacheSize: null }
      for await (const { depth } of inferSequence(executor, { ...nano, manifest }, options, sent))
        maps.push(depth)
      return maps
    }
    const frames = clip.map(({ rgb }) => rgb)
    const alone = await run(frames)
    const truth = clip[0]!.depth.map((metres) => 1 / metres)
    expect(correlation(alone[0]!, truth)).toBeGreaterThan(0.8)
    const dark = {
      black: [frames[0]!.map(() => 0)],
      noise: [1, 2, 3].map((seed) => sensorNoise(seed, clipSize, { level: 0, deviation: 10 })),
      white: [frames[0]!.map(() => 255)],
      fade: [0, 0.3, 0.6].map((step) => relit(frames[0]!, (value) => (value * step) / 12))
    }
    for (const [name, before] of Object.entries(dark))
      expect((await run([...before, ...frames])).slice(before.length), name).toEqual(alone)
  }
)

function correlation(a: Float32Array, b: Float32Array): number {
  const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length
  const [meanA, meanB] = [mean(a), mean(b)]
  let [ab, aa, bb] = [0, 0, 0]
  for (const [i, value] of a.entries()) {
    const [x, y] = [value - meanA, b[i]! - meanB]
    ab += x * y
    aa += x * x
    bb += y * y
  }
  return ab / Math.sqrt(aa * bb)
}
