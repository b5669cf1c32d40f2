import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { randomWeights } from '../../../bench/random-weights.ts'
import { addModel } from '../../../src/inference/models/add-model.ts'
import { deriveArchitecture } from '../../../src/inference/models/derive-architecture.ts'
import { readCheckpointFile } from '../../../src/inference/weights/checkpoint-file.ts'
import { expectedWeights } from '../../../src/inference/weights/expected-weights.ts'
import { elementCount, type WeightsMap } from '../../../src/inference/weights/weights-map.ts'
import type { Architecture } from '../../../src/manifest.ts'
import { tinyConvArchitecture } from '../tiny-architecture.ts'
import { checkpointOf } from '../weights/torch-file.ts'
import { temporaryFolder } from './model-folder.ts'

const common = { patch: 14, mlpRatio: 4, temporalHeads: 8, positionTable: [37, 37] }
const twelve = { blocks: 12, taps: [2, 5, 8, 11] }
const small: Architecture = {
  ...common,
  ...twelve,
  ...{ embedDim: 384, encoderHeads: 6, features: 64, outChannels: [48, 96, 192, 384] }
}
const base: Architecture = {
  ...common,
  ...twelve,
  ...{ embedDim: 768, encoderHeads: 12, features: 128, outChannels: [96, 192, 384, 768] }
}
const large: Architecture = {
  ...common,
  ...{ blocks: 24, taps: [4, 11, 17, 23], embedDim: 1024, encoderHeads: 16 },
  ...{ features: 256, outChannels: [256, 512, 1024, 1024] }
}

/** Every key of an official checkpoint, also those that nothing reads. */
function officialShapes(architecture: Architecture): Map<string, number[]> {
  const { embedDim, features } = architecture
  const shapes = [...expectedWeights(architecture)].map(
    ([name, shape]) => [name, shape.map((size) => size ?? 32)] as const
  )
  const unit = 'head.scratch.refinenet4.resConfUnit1'
  const unused = [1, 2].flatMap((conv): [string, number[]][] => [
    [`${unit}.conv${conv}.weight`, [features, features, 3, 3]],
    [`${unit}.conv${conv}.bias`, [features]]
  ])
  return new Map([...shapes, ...unused, ['pretrained.mask_token', [1, embedDim]]])
}

function weightsOf(architecture: Architecture, dataOf: (count: number) => Float32Array): WeightsMap {
  const shapes = officialShapes(architecture)
  return new Map(
    [...shapes].map(([name, shape]) => [name, { shape, data: dataOf(elementCount(shape)) }] as const)
  )
}

const withoutData = () => new Float32Array()

test.each([
  ['ViT-S', small],
  ['ViT-B', base],
  ['ViT-L', large]
])('%s is recognised from its shapes', (_name, architecture) => {
  expect(deriveArchitecture(weightsOf(architecture, withoutData), 'net.pth')).toEqual(architecture)
})

test('ViT-G of Depth Anything V2, which has another feed-forward, is refused by name', () => {
  const giant = { ...base, blocks: 40, embedDim: 1536 }
  expect(() => deriveArchitecture(weightsOf(giant, withoutData), 'net.pth')).toThrow(
    /net\.pth has 40 encoder blocks; known are 6, 12, 24/
  )
})

test('a convolutional encoder is refused, since no tensor tells its heads', () => {
  const weights = randomWeights(tinyConvArchitecture, 1)
  expect(() => deriveArchitecture(weights, 'model.safetensors')).toThrow(
    /model\.safetensors has a convolutional encoder.*manifest\.json.*LEADLINE_MODELS_DIR/
  )
})

test('the layout of ViT-S has the 351 keys of the official file, 29,035,137 numbers without what nothing reads', () => {
  const shapes = officialShapes(small)
  const read = [...expectedWeights(small)].filter(([name]) => !name.endsWith('.pe'))
  const numRead = read.reduce((sum, [name]) => sum + elementCount(shapes.get(name)!), 0)
  const numUnused = 384 + 2 * (64 * 64 * 9 + 64)
  expect(shapes.size).toBe(351)
  expect(numRead + numUnused).toBe(29_035_137)
})

test('a checkpoint of full size, 351 tensors as torch.save stores them, becomes a model', async () => {
  const folder = await temporaryFolder()
  const file = path.join(folder, 'video_depth_anything_vits.pth')
  let next = 1
  const noise = (count: number) => {
    const data = new Float32Array(count)
    for (let i = 0; i < count; i++) data[i] = (next = (next * 16807) % 2147483647) / 2147483647 - 0.5
    return data
  }
  const weights = weightsOf(small, noise)
  await writeFile(file, checkpointOf(weights))
  const options = { modelsDir: path.join(folder, 'models'), name: 'full', license: 'Apache-2.0' }
  const { manifest, weightsPath } = await addModel(file, options)
  expect(manifest.architecture).toEqual({ family: 'video-depth-anything', ...small })
  const stored = (await readCheckpointFile(weightsPath)).weights
  expect(stored.size).toBe(346)
  const name = 'pretrained.blocks.11.mlp.fc2.weight'
  const [wrote, read] = [weights.get(name)!.data, stored.get(name)!.data]
  // float16 keeps eleven bits.
  expect(read.findIndex((value, i) => Math.abs(value - wrote[i]!) > 2 ** -12)).toBe(-1)
}, 60_000)
