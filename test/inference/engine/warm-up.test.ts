import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { loadConfig } from '../../../src/config.ts'
import type { Plan } from '../../../src/inference/executor.ts'
import { FakeExecutor } from '../../../src/inference/executors/fake/fake.ts'
import { fakeManifest } from '../../../src/inference/executors/fake/fake-model.ts'
import { createEngine } from '../../../src/inference/index.ts'
import { networkSize } from '../../../src/inference/pixels/resolution.ts'
import { warmUpPlans } from '../../../src/inference/engine/warm-up.ts'
import type { Mode } from '../../../src/session.ts'
import { fakeEngine, openSession } from '../fake-engine.ts'
import { frameOf, patches } from '../frames.ts'

const rule = { multiple: 14, lowerBound: 28, maxArea: 6272 }
const modelWith = (modes: Mode[]) => ({
  manifest: { ...fakeManifest, resolution: rule, temporal: { ...fakeManifest.temporal, modes } },
  weightsPath: ''
})

test('what is warmed up is the default mode at the network’s size, once for sources that share it', () => {
  const sources = [
    { width: 1920, height: 1080 },
    { width: 640, height: 360 },
    { width: 480, height: 480 }
  ]
  const models = [modelWith(['single', 'ovda']), modelWith(['single'])]
  const plans = warmUpPlans(models, { warmUpSizes: sources, warmUpModes: [] })
  expect(plans.map(({ mode, width, height }) => [mode, width, height])).toEqual([
    ['ovda', 56, 28],
    ['ovda', 28, 28],
    ['single', 56, 28],
    ['single', 28, 28]
  ])
  expect(plans[0]!.cacheSize).toBe(fakeManifest.temporal.defaultCacheSize)
})

const warmUpFor = (modes: string) => {
  const config = loadConfig({ LEADLINE_WARMUP: '1920x1080', LEADLINE_WARMUP_MODES: modes })
  const models = [modelWith(['ovda', 'single', 'vda-window']), modelWith(['single'])]
  return warmUpPlans(models, config).map(({ mode, cacheSize }) => [mode, cacheSize])
}

test('modes and windows that are named are warmed up, each where a model has it', () => {
  const { cacheSizes, defaultCacheSize } = fakeManifest.temporal
  const other = cacheSizes.find((size) => size !== defaultCacheSize)!
  expect(warmUpFor(`ovda,ovda:${other},single`)).toEqual([
    ['ovda', defaultCacheSize],
    ['ovda', other],
    ['single', defaultCacheSize]
  ])
  expect(warmUpFor('vda-window')).toEqual([['vda-window', defaultCacheSize]])
})

test.each([
  ['that no model has', 'vda-stream', /LEADLINE_WARMUP_MODES names vda-stream/],
  ['with a window that no model has', 'ovda:999', /LEADLINE_WARMUP_MODES names ovda:999/],
  ['that is none', 'fast', /LEADLINE_WARMUP_MODES/],
  ['that has no window of a size', 'single:8', /LEADLINE_WARMUP_MODES/]
])('a mode to warm up %s is refused by its name', (_, modes, message) => {
  expect(() => warmUpFor(modes)).toThrow(message)
})

class CountingExecutor extends FakeExecutor {
  readonly loaded: string[] = []
  readonly unloaded: number[] = []

  override load(plan: Plan): Promise<number> {
    this.loaded.push(`${plan.width}x${plan.height}`)
    return super.load(plan)
  }

  override unload(model: number): Promise<void> {
    this.unloaded.push(model)
    return super.unload(model)
  }
}

test('a model that was warmed up is there for the first session, and stays when others come and go', async () => {
  const executor = new CountingExecutor()
  const engine = fakeEngine({ executor })
  onTestFinished(() => engine.closeAll())
  const sizes = [80, 96, 112, 128].map((width) => ({ width, height: 64 }))
  const model = { manifest: fakeManifest, weightsPath: '' }
  const [plan] = warmUpPlans([model], { warmUpSizes: [sizes[0]!], warmUpModes: [] })
  await engine.keepLoaded(plan!)
  const warm = `${plan!.width}x${plan!.height}`
  expect(executor.loaded).toEqual([warm])
  for (const [i, size] of [...sizes.slice(1), sizes[0]!].entries()) {
    const session = await openSession(engine, `s${i}`, { delivery: 'lossless' })
    session.submit(frameOf(1, 'rgb24', patches(1, size), size))
    await session.flush()
    await session.close()
  }
  expect(executor.loaded.filter((size) => size === warm)).toEqual([warm])
  expect(executor.unloaded).not.toContain(await executor.load(plan!))
})

test('an engine is ready only when every model is loaded for the sizes that its configuration names', async () => {
  const lines: string[] = []
  const log = pino({ level: 'info' }, { write: (line: string) => lines.push(line) })
  const config = loadConfig({ LEADLINE_EXECUTOR: 'fake', LEADLINE_WARMUP: '1920x1080,640x640' })
  const running = await createEngine({ config, log })
  onTestFinished(() => running.close())
  const warmed = lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ msg }) => msg === 'warmed up')
  const expected = config.warmUpSizes.map((source) => networkSize(source, fakeManifest.resolution))
  expect(warmed).toMatchObject(expected)
  expect(warmed).toHaveLength(2)
})

test('sizes that are none are refused with the name of their variable', () => {
  expect(() => loadConfig({ LEADLINE_WARMUP: '1920' })).toThrow(/LEADLINE_WARMUP/)
  expect(loadConfig({}).warmUpSizes).toEqual([])
})
