import { readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { randomWeights } from '../../../bench/random-weights.ts'
import { addModel } from '../../../src/inference/models/add-model.ts'
import { ModelLibrary } from '../../../src/inference/models/library.ts'
import { digestOf } from '../../../src/inference/weights/digest.ts'
import { readSafetensors } from '../../../src/inference/weights/safetensors-reader.ts'
import { writeSafetensors } from '../../../src/inference/weights/safetensors-writer.ts'
import { tinyArchitecture } from '../tiny-architecture.ts'
import { bytesOf, checkpointOf } from '../weights/torch-file.ts'
import { temporaryFolder } from './model-folder.ts'

const weights = randomWeights(tinyArchitecture, 1)
const unused = ['pretrained.mask_token', { shape: [1, 64], data: new Float32Array(64) }] as const

async function writeCheckpoint(bytes: Uint8Array, name = 'net.pth'): Promise<{ file: string; modelsDir: string }> {
  const folder = await temporaryFolder()
  const file = path.join(folder, name)
  await writeFile(file, bytes)
  return { file, modelsDir: path.join(folder, 'models') }
}

test('a checkpoint becomes a model of the library with the dimensions of its tensors', async () => {
  const { file, modelsDir } = await writeCheckpoint(checkpointOf(new Map([...weights, unused])))
  await addModel(file, { modelsDir, name: 'added', license: 'Apache-2.0', dtype: 'float32' })
  const library = await ModelLibrary.open({ modelsDirs: [modelsDir], allowNonCommercial: false })
  const { manifest, weightsPath } = library.get('added')
  expect(manifest.architecture).toEqual({ family: 'video-depth-anything', ...tinyArchitecture })
  expect(manifest).toMatchObject({ nonCommercial: false, quantity: 'relative-inverse-depth' })
  expect(manifest.source).toEqual({ name: 'net.pth', sha256: digestOf(await readFile(file)) })
  const stored = readSafetensors(await readFile(weightsPath), weightsPath)
  expect([...stored.keys()]).toEqual([...weights.keys()])
  for (const [name, { data }] of weights) expect(Buffer.compare(bytesOf(stored.get(name)!.data), bytesOf(data))).toBe(0)
})

test('the windows of Video Depth Anything need as many positions as they are long', async () => {
  const short = new Map(
    [...weights].map(([name, { shape, data }]) =>
      name.endsWith('.pe')
        ? [name, { shape: [1, 16, shape[2]!], data: data.slice(0, 16 * shape[2]!) }]
        : [name, { shape, data }]
    )
  )
  const modes = await Promise.all(
    [weights, short].map(async (found) => {
      const { file, modelsDir } = await writeCheckpoint(checkpointOf(found))
      return (await addModel(file, { modelsDir, name: 'net', license: 'MIT' })).manifest.temporal.modes
    })
  )
  expect(modes).toEqual([
    ['ovda', 'vda-stream', 'vda-window', 'single'],
    ['ovda', 'single']
  ])
})

test('weights are halved by default, and a licence that says NC is non-commercial', async () => {
  const { file, modelsDir } = await writeCheckpoint(writeSafetensors(weights, 'float32'), 'net.safetensors')
  const { manifest } = await addModel(file, { modelsDir, name: 'half', license: 'CC-BY-NC-4.0' })
  expect(manifest.weights.dtype).toBe('float16')
  expect(manifest.nonCommercial).toBe(true)
})

test('a weight too large for float16 is refused by name, and nothing is left behind', async () => {
  const name = 'head.projects.0.bias'
  const large = new Map(weights).set(name, { shape: [16], data: new Float32Array(16).fill(70_000) })
  const { file, modelsDir } = await writeCheckpoint(writeSafetensors(large, 'float32'), 'net.safetensors')
  const options = { modelsDir, name: 'large', license: 'MIT' }
  await expect(addModel(file, options)).rejects.toThrow(/'head\.projects\.0\.bias' holds 70000/)
  await expect(readdir(modelsDir)).rejects.toThrow(/ENOENT/)
})

test('a name that is taken is refused', async () => {
  const { file, modelsDir } = await writeCheckpoint(checkpointOf(weights))
  const options = { modelsDir, name: 'twice', license: 'MIT' }
  await addModel(file, options)
  await expect(addModel(file, options)).rejects.toThrow(/twice exists; choose another name/)
  expect(await readdir(modelsDir)).toEqual(['twice'])
})

test('a weight that is not a number is refused by name', async () => {
  const name = 'head.projects.0.bias'
  const broken = new Map(weights).set(name, { shape: [16], data: new Float32Array(16).fill(NaN) })
  const { file, modelsDir } = await writeCheckpoint(checkpointOf(broken))
  const options = { modelsDir, name: 'broken', license: 'MIT', dtype: 'float32' } as const
  await expect(addModel(file, options)).rejects.toThrow(/'head\.projects\.0\.bias' holds NaN/)
})

test('a file with another digest is refused before it is looked into', async () => {
  const { file, modelsDir } = await writeCheckpoint(checkpointOf(weights))
  const found = digestOf(await readFile(file))
  const options = { modelsDir, name: 'other', license: 'MIT' }
  await expect(addModel(file, { ...options, sha256: '0'.repeat(64) })).rejects.toThrow(
    `has SHA-256 ${found}, expected was ${'0'.repeat(64)}`
  )
  await addModel(file, { ...options, sha256: found })
})

test('a name that is not one is refused before anything is written', async () => {
  const { file, modelsDir } = await writeCheckpoint(checkpointOf(weights))
  await expect(addModel(file, { modelsDir, name: '../up', license: 'MIT' })).rejects.toThrow(/"\.\.\/up" cannot be the name of a model/)
  await expect(readdir(modelsDir)).rejects.toThrow(/ENOENT/)
})

test('a checkpoint of another network is refused by the first tensor it lacks', async () => {
  const { file, modelsDir } = await writeCheckpoint(checkpointOf(new Map([unused])))
  await expect(addModel(file, { modelsDir, name: 'other', license: 'MIT' })).rejects.toThrow(
    /lacks 'pretrained\.pos_embed' and begins with 'pretrained\.mask_token'/
  )
})
