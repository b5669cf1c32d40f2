import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { randomWeights } from '../../../bench/random-weights.ts'
import { checkWeights, expectedWeights } from '../../../src/inference/weights/expected-weights.ts'
import { openGoldenFolder } from '../../../src/inference/evaluation/golden-folder.ts'
import { tinyArchitecture, tinyConvArchitecture } from '../tiny-architecture.ts'

const weights = randomWeights(tinyArchitecture, 1)

test('weights of the architecture pass, with and without those that the network never reads', () => {
  checkWeights(weights, tinyArchitecture, 'x')
  const unused = { shape: [1, 64], data: new Float32Array(64) }
  checkWeights(new Map([...weights, ['pretrained.mask_token', unused]]), tinyArchitecture, 'x')
})

test('a missing tensor is named with its shape', () => {
  const incomplete = new Map(weights)
  incomplete.delete('head.projects.1.weight')
  expect(() => checkWeights(incomplete, tinyArchitecture, 'net.pth')).toThrow(
    /net\.pth lacks 'head\.projects\.1\.weight' of shape \[16, 64, 1, 1\]/
  )
})

test('a tensor of another shape is named with both shapes', () => {
  const wider = { ...tinyArchitecture, embedDim: 128 }
  expect(() => checkWeights(weights, wider, 'net.pth')).toThrow(
    /'pretrained\.cls_token' of shape \[1, 1, 64\] instead of \[1, 1, 128\]/
  )
})

test('a tensor without a place in the layout is named with its shape', () => {
  const registers = { shape: [1, 4, 64], data: new Float32Array(256) }
  const other = new Map([...weights, ['pretrained.register_tokens', registers]])
  expect(() => checkWeights(other, tinyArchitecture, 'net.pth')).toThrow(
    /net\.pth has an unexpected 'pretrained\.register_tokens' of shape \[1, 4, 64\]/
  )
})

test('without motion modules the layout has none', () => {
  const still = { ...tinyArchitecture, motionModules: false }
  expect([...expectedWeights(still).keys()].filter((name) => name.includes('motion'))).toEqual([])
  expect(() => checkWeights(weights, still, 'net.pth')).toThrow(/unexpected 'head\.motion_modules\.0/)
})

test('what the training code writes of a convolutional encoder fits its architecture, to the last tensor', async () => {
  const folder = fileURLToPath(new URL('../../fixtures/golden-conv', import.meta.url))
  const { weights: written, architecture } = await openGoldenFolder(folder)
  expect(architecture).toMatchObject(tinyConvArchitecture)
  checkWeights(written, architecture, 'x')
  for (const name of written.keys()) {
    const incomplete = new Map(written)
    incomplete.delete(name)
    expect(() => checkWeights(incomplete, architecture, 'x')).toThrow(`x lacks '${name}'`)
  }
})
