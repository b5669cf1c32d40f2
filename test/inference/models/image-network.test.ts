import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { randomNumbers, randomWeights } from '../../../bench/random-weights.ts'
import { OrtNodeExecutor } from '../../../src/inference/executors/ort-node/ort-node.ts'
import { inferSequence } from '../../../src/inference/evaluation/infer-sequence.ts'
import { addModel, type AddModelOptions } from '../../../src/inference/models/add-model.ts'
import type { LibraryModel } from '../../../src/inference/models/library.ts'
import { startOfMotion } from '../../../src/inference/weights/motion-start.ts'
import type { Mode } from '../../../src/session.ts'
import { tinyArchitecture } from '../tiny-architecture.ts'
import { checkpointOf } from '../weights/torch-file.ts'
import { largestDifference } from '../graph/step-runner.ts'
import { temporaryFolder } from './model-folder.ts'

const size = { width: 56, height: 42 }
const still = { ...tinyArchitecture, motionModules: false }

/** Depth Anything V2 in small: the same encoder and head, the head under its own name, no motion modules. */
const imageCheckpoint = checkpointOf(
  new Map(
    [...randomWeights(still, 1)].map(([name, tensor]) => [name.replace(/^head\./, 'depth_head.'), tensor])
  )
)

async function add(changes: Partial<AddModelOptions> = {}): Promise<LibraryModel> {
  const folder = await temporaryFolder()
  const file = path.join(folder, 'net.pth')
  await writeFile(file, imageCheckpoint)
  const modelsDir = path.join(folder, 'models')
  const added = await addModel(file, { modelsDir, name: 'net', license: 'Apache-2.0', ...changes })
  added.manifest.resolution = { multiple: 14, lowerBound: 42, maxArea: 42 * 56 }
  return added
}

async function depthsOf(model: LibraryModel, mode: Mode): Promise<Float32Array[]> {
  const executor = new OrtNodeExecutor({ threads: 1 })
  onTestFinished(() => executor.close())
  const next = randomNumbers(5)
  const frames = Array.from({ length: 6 }, () => ({
    ...size,
    rgb: Uint8Array.from({ length: size.width * size.height * 3 }, () => 255 * (next() + 0.5))
  }))
  const depths: Float32Array[] = []
  for await (const { depth } of inferSequence(executor, model, { mode, cacheSize: null }, frames))
    depths.push(depth.slice())
  return depths
}

test('a network without motion modules runs frame by frame, and is said to', async () => {
  const model = await add()
  expect(model.manifest.temporal.modes).toEqual(['single'])
  expect(model.manifest.architecture.motionModules).toBe(false)
  const [first, second] = await depthsOf(model, 'single')
  expect(Math.max(...first!)).toBeGreaterThan(0)
  expect(second).not.toEqual(first)
  await expect(depthsOf(model, 'ovda')).rejects.toThrow(/has no mode "ovda"; it runs: single/)
})

test('new motion modules change nothing: streamed depth is bit for bit that of single frames', async () => {
  const streaming = await add({ streaming: true })
  expect(streaming.manifest.temporal.modes).toEqual(expect.arrayContaining(['ovda', 'single']))
  const single = await depthsOf(streaming, 'single')
  expect(await depthsOf(streaming, 'ovda')).toEqual(single)
  // The graph without them is another one, whose sums ONNX Runtime may round the other way.
  const alone = await depthsOf(await add(), 'single')
  expect(Math.max(...alone.map((depth, t) => largestDifference(depth, single[t]!)))).toBeLessThan(1e-6)
})

test('new motion modules can learn: all but their last layer are alive, and the same every time', () => {
  const weights = startOfMotion(tinyArchitecture)
  const dead = [...weights].filter(([, { data }]) => data.every((value) => value === 0)).map(([name]) => name)
  expect(dead.filter((name) => !name.endsWith('.bias'))).toEqual(
    [0, 1, 2, 3].map((index) => `head.motion_modules.${index}.temporal_transformer.proj_out.weight`)
  )
  expect(startOfMotion(tinyArchitecture)).toEqual(weights)
})

test('a network with motion modules needs no new ones', async () => {
  const folder = await temporaryFolder()
  const file = path.join(folder, 'video.pth')
  await writeFile(file, checkpointOf(randomWeights(tinyArchitecture, 1)))
  const options = { modelsDir: folder, name: 'net', license: 'MIT', streaming: true }
  await expect(addModel(file, options)).rejects.toThrow(/has motion modules already.*without --streaming/)
})

test('a metric image network ends in a sigmoid times its largest depth, and no other shares its digest', async () => {
  const metric = await add({ quantity: 'metric-depth', maxDepthMetres: 20, dtype: 'float32' })
  const plain = await add({ dtype: 'float32' })
  expect(metric.manifest.quantity).toBe('metric-depth')
  expect(metric.manifest.weights.sha256).not.toBe(plain.manifest.weights.sha256)
  const [[metres], [closing]] = [await depthsOf(metric, 'single'), await depthsOf(plain, 'single')]
  const expected = closing!.map((value) => 20 / (1 + Math.exp(-value)))
  // Where the plain network's ReLU cut something off, the sigmoid gives less than half of its range.
  const off = metres!.filter((value, i) => closing![i]! > 0 && Math.abs(value - expected[i]!) > 1e-4)
  expect(off).toEqual(new Float32Array())
  expect(metres!.filter((value, i) => closing![i] === 0 && value > 10)).toEqual(new Float32Array())
})
