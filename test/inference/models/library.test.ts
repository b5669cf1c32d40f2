import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { OrtNodeExecutor } from '../../../src/inference/executors/ort-node/ort-node.ts'
import { ModelLibrary } from '../../../src/inference/models/library.ts'
import { tinyConvArchitecture } from '../tiny-architecture.ts'
import { temporaryFolder, writeTinyModel } from './model-folder.ts'

const open = (modelsDirs: string[], allowNonCommercial = false) => ModelLibrary.open({ modelsDirs, allowNonCommercial })

test('models of every folder are found, and the folder searched first wins', async () => {
  const [bundled, own] = [await temporaryFolder(), await temporaryFolder()]
  await writeTinyModel(bundled, { title: 'bundled' })
  await writeTinyModel(own, { title: 'own' })
  await writeTinyModel(own, { name: 'other' })
  const library = await open([bundled, own, path.join(own, 'absent')])
  expect(library.list().map(({ manifest }) => manifest.name)).toEqual(['tiny', 'other'])
  expect(library.get('tiny').manifest.title).toBe('bundled')
  expect(library.get('tiny').weightsPath).toBe(path.join(bundled, 'tiny', 'model.safetensors'))
})

test('a folder that cannot be read is named with its setting', async () => {
  const file = path.join(await temporaryFolder(), 'file')
  await writeFile(file, '')
  await expect(open([file])).rejects.toThrow(/file cannot be read \(ENOTDIR.*set LEADLINE_MODELS_DIR/)
})

test('an unknown model is answered with the known names', async () => {
  const folder = await temporaryFolder()
  await writeTinyModel(folder)
  const library = await open([folder])
  expect(() => library.get('huge')).toThrow(expect.objectContaining({ code: 'MODEL_UNKNOWN' }))
  expect(() => library.get('huge')).toThrow(/known: tiny/)
})

test('a non-commercial model is listed, and served only with consent', async () => {
  const folder = await temporaryFolder()
  await writeTinyModel(folder, { license: 'CC-BY-NC-4.0', nonCommercial: true })
  const careful = await open([folder])
  expect(careful.list()).toHaveLength(1)
  expect(careful.listServable()).toHaveLength(0)
  expect(() => careful.get('tiny')).toThrow(expect.objectContaining({ code: 'MODEL_LICENSE' }))
  const consenting = await open([folder], true)
  expect(consenting.listServable()).toHaveLength(1)
  expect(consenting.get('tiny').manifest.license).toBe('CC-BY-NC-4.0')
})

test('a manifest that is not valid is named with its field', async () => {
  const folder = await temporaryFolder()
  const manifest = await writeTinyModel(folder)
  const file = path.join(folder, 'tiny', 'manifest.json')
  await writeFile(file, JSON.stringify({ ...manifest, temporal: { ...manifest.temporal, defaultCacheSize: 1 } }))
  await expect(open([folder])).rejects.toThrow(/manifest\.json: temporal\.defaultCacheSize/)
})

test.each([
  ['an encoder without its dimensions', { encoder: 'conv' as const }, 14, /architecture\.conv is missing/],
  ['dimensions without their encoder', { conv: tinyConvArchitecture.conv! }, 14, /architecture\.conv is given/],
  ['a patch that no convolutions have', { ...tinyConvArchitecture, patch: 14 }, 28, /architecture\.patch is 14.* 16/],
  ['tokens that are not the last map', { ...tinyConvArchitecture, embedDim: 64 }, 32, /embedDim is 64.*widths, 40/],
  ['sizes that the network cannot take', tinyConvArchitecture, 16, /resolution\.multiple is 16.*multiples of 32/]
])('a manifest with %s is refused', async (_what, architecture, multiple, complaint) => {
  const folder = await temporaryFolder()
  const { architecture: usual, resolution } = await writeTinyModel(folder)
  const changes = { architecture: { ...usual, ...architecture }, resolution: { ...resolution, multiple } }
  await writeTinyModel(folder, changes)
  await expect(open([folder])).rejects.toThrow(complaint)
})

test('a manifest cannot point outside its folder', async () => {
  const folder = await temporaryFolder()
  const manifest = await writeTinyModel(folder)
  const file = path.join(folder, 'tiny', 'manifest.json')
  await writeFile(file, JSON.stringify({ ...manifest, weights: { ...manifest.weights, file: '../secret' } }))
  await expect(open([folder])).rejects.toThrow(/"\.\.\/secret" is not a plain file name/)
})

test('weights that are not those of the manifest are refused when they are loaded', async () => {
  const folder = await temporaryFolder()
  const { architecture, weights } = await writeTinyModel(folder)
  const weightsPath = path.join(folder, 'tiny', 'model.safetensors')
  await writeFile(weightsPath, Buffer.alloc(100))
  const executor = new OrtNodeExecutor({ threads: 1 })
  const plan = { mode: 'ovda', height: 42, width: 42, cacheSize: 4, attendSelf: false,
    precision: 'fp32' } as const
  await expect(executor.load({ ...plan, weightsPath, digest: weights.sha256, architecture })).rejects.toThrow(
    /model\.safetensors has SHA-256 \w+, its manifest says/
  )
})
