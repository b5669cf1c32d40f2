import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { loadConfig } from '../../src/config.ts'
import { createEngine, inferSequence } from '../../src/inference/index.ts'
import type { RunningEngine, ServedModel } from '../../src/inference/index.ts'
import { expectedDepths } from '../../src/inference/executors/fake/fake.ts'
import { OrtNodeExecutor } from '../../src/inference/executors/ort-node/ort-node.ts'
import type { Manifest } from '../../src/manifest.ts'
import { sessionOptions } from '../../src/session.ts'
import type { SessionEvent } from '../../src/session.ts'
import { writeTinyModel } from '../contract/tiny-model.ts'
import { fingerprint, resultsOf, silent } from './fake-engine.ts'
import { frameOf, patches } from './frames.ts'
import { tinyArchitecture } from './tiny-architecture.ts'

const size = { width: 56, height: 28 }

async function start(environment: NodeJS.ProcessEnv): Promise<RunningEngine> {
  const running = await createEngine({ config: loadConfig(environment), log: silent })
  onTestFinished(() => running.close())
  return running
}

/** Depth of frames 1 to `count`, through a session. */
async function throughSession({ engine }: RunningEngine, model: string, count: number): Promise<string[]> {
  const events: SessionEvent[] = []
  const options = sessionOptions({ model, delivery: 'lossless', output: { format: 'f32' } }, model)
  await new Promise<void>((resolve, reject) => {
    const onEvent = (event: SessionEvent): void => {
      events.push(event)
      if (event.type === 'flushed') resolve()
    }
    engine
      .open('a', options, onEvent)
      .then(() => {
        for (let seq = 1; seq <= count; seq++)
          engine.submit('a', frameOf(seq, 'rgb24', patches(seq, size), size))
        engine.flush('a', 'end')
      })
      .catch(reject)
  })
  return resultsOf(events).map((result) => result.fingerprint)
}

/** A folder of models with one tiny network in it, and what to ask for it. */
async function modelsDir(overrides: Partial<Manifest> = {}): Promise<{ folder: string; model: ServedModel }> {
  const weights = await writeTinyModel()
  const folder = await mkdtemp(path.join(os.tmpdir(), 'leadline-models-'))
  onTestFinished(() => weights.remove())
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const manifest: Manifest = {
    schema: 1,
    name: 'tiny',
    title: 'Tiny',
    license: 'Apache-2.0',
    nonCommercial: false,
    quantity: 'relative-inverse-depth',
    weights: { file: 'model.safetensors', sha256: weights.digest, bytes: 0, dtype: 'float32' },
    architecture: { family: 'video-depth-anything', ...tinyArchitecture },
    temporal: { modes: ['ovda', 'single'], cacheSizes: [4], defaultCacheSize: 4, attendSelf: false },
    resolution: { multiple: 14, lowerBound: 28, maxArea: 6272 },
    ...overrides
  }
  const weightsPath = path.join(folder, manifest.name, 'model.safetensors')
  await mkdir(path.dirname(weightsPath))
  await writeFile(path.join(folder, manifest.name, 'manifest.json'), JSON.stringify(manifest))
  await rename(weights.weightsPath, weightsPath)
  return { folder, model: { manifest, weightsPath } }
}

test('with the fake executor everything works without weights, under the default model’s name too', async () => {
  const running = await start({ LEADLINE_EXECUTOR: 'fake' })
  expect(running.engine.offer.models.map(({ name }) => name)).toEqual(['fake', 'leadline-nano'])
  const frames = [1, 2, 3].map((seq) => patches(seq, size))
  expect(await throughSession(running, 'leadline-nano', 3)).toEqual(
    expectedDepths(frames, { mode: 'ovda', ...size }).map(fingerprint)
  )
  await running.close()
  await running.close()
  expect(running.engine.reservedBytes).toBe(0)
})

test('a session gives bit for bit what the bare network gives', async () => {
  const { folder, model } = await modelsDir()
  const running = await start({ LEADLINE_MODELS_DIR: folder, LEADLINE_MODEL: 'tiny', LEADLINE_THREADS: '1' })
  const executor = new OrtNodeExecutor({ threads: 1 })
  onTestFinished(() => executor.close())
  const frames = Array.from({ length: 7 }, (_, i) => ({ rgb: patches(i + 1, size), ...size }))
  const expected: Float32Array[] = []
  for await (const map of inferSequence(executor, model, { mode: 'ovda', cacheSize: null }, frames)) {
    expect(map.size).toEqual(size)
    expected.push(map.depth)
  }
  expect(await throughSession(running, 'tiny', 7)).toEqual(expected.map(fingerprint))
})

test('a model whose licence needs consent is offered only with it', async () => {
  const { folder } = await modelsDir({ nonCommercial: true, license: 'CC-BY-NC-4.0' })
  const environment = { LEADLINE_MODELS_DIR: folder, LEADLINE_THREADS: '1' }
  const offered = async (more: NodeJS.ProcessEnv): Promise<string[]> => {
    const { engine } = await start({ ...environment, ...more })
    return engine.offer.models.map(({ name }) => name)
  }
  expect(await offered({ LEADLINE_ALLOW_NONCOMMERCIAL: 'true' })).toContain('tiny')
  await expect(
    createEngine({ config: { ...loadConfig(environment), modelsDirs: [folder] }, log: silent })
  ).rejects.toMatchObject({
    code: 'MODEL_UNKNOWN',
    message: expect.stringContaining('leadline models add')
  })
})
