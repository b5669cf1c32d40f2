import { expect, onTestFinished, test } from 'vitest'
import { randomNumbers, randomWeights } from '../../../bench/random-weights.ts'
import {
  buildStepGraph,
  type OpSetName,
  type StepGraphOptions
} from '../../../src/inference/graph/step-graph.ts'
import { exactWeightBits, thisProcessor, type WeightBits } from '../../../src/inference/cpu-features.ts'
import { windowFeed } from '../../../src/inference/latents/window.ts'
import { tinyArchitecture, tinyConvArchitecture } from '../tiny-architecture.ts'
import { largestDifference, StepRunner, type RunnerOptions } from './step-runner.ts'

const options: StepGraphOptions = {
  weights: randomWeights(tinyArchitecture, 1),
  architecture: tinyArchitecture,
  height: 42,
  width: 56,
  mode: 'ovda',
  cacheSize: 4
}
const convolutional: StepGraphOptions = {
  ...options,
  weights: randomWeights(tinyConvArchitecture, 1),
  architecture: tinyConvArchitecture,
  height: 64,
  width: 96
}
const encoders = { transformer: options, convolutional }
const each = <T extends string>(opSets: readonly T[]) =>
  (['transformer', 'convolutional'] as const).flatMap((encoder) =>
    opSets.map((opSet) => [encoder, opSet] as const)
  )

async function createRunner(changes: Partial<RunnerOptions> = {}): Promise<StepRunner> {
  const runner = await StepRunner.create({ ...options, ...changes })
  onTestFinished(() => runner.release())
  return runner
}

function randomFrames(count: number, seed: number, { height, width } = options): Uint8Array[] {
  const next = randomNumbers(seed)
  return Array.from({ length: count }, () =>
    Uint8Array.from({ length: height * width * 3 }, () => 255 * (next() + 0.5))
  )
}

async function depthsOf(runner: StepRunner, frames: readonly Uint8Array[]): Promise<Float32Array[]> {
  const state = runner.newState()
  const depths: Float32Array[] = []
  for (const frame of frames) depths.push(...(await runner.step([state], [frame])))
  return depths
}

test.each(each(['fast', 'standard']))(
  'rows of a batch that are differently far give what they give alone (%s encoder, %s operators)',
  async (encoder, opSet) => {
    const network = encoders[encoder]
    const alone = await createRunner({ ...network, opSet })
    const together = await createRunner({ ...network, opSet, batch: 2 })
    const videos = [randomFrames(9, 2, network), randomFrames(9, 3, network)] as const
    const expected = await Promise.all(videos.map((frames) => depthsOf(alone, frames)))

    const ahead = alone.newState()
    for (const frame of videos[0].slice(0, 3)) await alone.step([ahead], [frame])
    const behind = together.newState()
    for (let t = 0; t < 6; t++) {
      const [first, second] = await together.step([ahead, behind], [videos[0][t + 3]!, videos[1][t]!])
      expect(largestDifference(first!, expected[0]![t + 3]!)).toBeLessThan(1e-5)
      expect(largestDifference(second!, expected[1]![t]!)).toBeLessThan(1e-5)
    }
  }
)

test.each(each(['standard', 'webgpu', 'tensorrt']))(
  'with a %s encoder %s operators give the depth of the fast ones',
  async (encoder, opSet) => {
    const network = encoders[encoder]
    const frames = randomFrames(6, 4, network)
    const [fast, other] = [await createRunner(network), await createRunner({ ...network, opSet })]
    const [a, b] = [await depthsOf(fast, frames), await depthsOf(other, frames)]
    expect(Math.max(...a.map((depth, t) => largestDifference(depth, b[t]!)))).toBeLessThan(1e-5)
  }
)

test('the past changes the depth, and so does its order', async () => {
  const [first, second, third] = randomFrames(3, 5)
  const runner = await createRunner()
  const usual = (await depthsOf(runner, [first!, second!, third!])).at(-1)!
  const swapped = (await depthsOf(runner, [second!, first!, third!])).at(-1)!
  const fresh = (await depthsOf(runner, [third!])).at(-1)!
  expect(largestDifference(usual, swapped)).toBeGreaterThan(1e-3)
  expect(largestDifference(usual, fresh)).toBeGreaterThan(1e-3)
})

test('positions that do not follow the ring give another depth', async () => {
  const frames = randomFrames(8, 6)
  const stale = (framesSeen: number) => {
    const { positions, ...feed } = windowFeed(framesSeen, options.cacheSize, false)
    return { ...feed, positions: positions.map((_, slot) => slot) }
  }
  const right = await depthsOf(await createRunner(), frames)
  const wrong = await depthsOf(await createRunner({ window: stale }), frames)
  expect(largestDifference(right.at(-1)!, wrong.at(-1)!)).toBeGreaterThan(1e-3)
})

test('a frame whose own latent is visible gets another depth from the second frame on', async () => {
  const frames = randomFrames(2, 7)
  const strict = await depthsOf(await createRunner(), frames)
  const self = await depthsOf(await createRunner({ attendSelf: true }), frames)
  expect(largestDifference(strict[0]!, self[0]!)).toBe(0)
  expect(largestDifference(strict[1]!, self[1]!)).toBeGreaterThan(1e-3)
})

test('the graphs of standard operators and of TensorRT name no operator set but the standard one', () => {
  const imports = (opSet: OpSetName) =>
    Buffer.from(buildStepGraph({ ...options, opSet })).includes('com.microsoft')
  expect(imports('fast')).toBe(true)
  expect(imports('standard')).toBe(false)
  expect(imports('tensorrt')).toBe(false)
})

test('a size that the network cannot take is refused by its numbers', () => {
  expect(() => buildStepGraph({ ...options, width: 60 })).toThrow(/60x42 is not in multiples of 14/)
  expect(() => buildStepGraph({ ...convolutional, width: 48 })).toThrow(/48x64 is not in multiples of 32/)
})

test('a window longer than the position table is refused', () => {
  expect(() => buildStepGraph({ ...options, cacheSize: 33 })).toThrow(/cacheSize 33 is outside 2..32/)
})

/** 7 bits are for every processor; 8 are wrong, and never used, where products saturate. */
const weightBits = [...new Set(['7', `${exactWeightBits(thisProcessor())}`] as const)]

test.each(each(weightBits))(
  'with a %s encoder int8 gives nearly the same depth, no matter how long the video, and another one than float32 (weights of %s bits)',
  async (encoder, bits) => {
    const network = encoders[encoder]
    const frames = randomFrames(64, 8, network)
    const float = await createRunner(network)
    const integer = await createRunner({
      ...network,
      precision: 'int8',
      weightBits: Number(bits) as WeightBits
    })
    const [a, b] = [await depthsOf(float, frames), await depthsOf(integer, frames)]
    const errors = a.map((depth, t) => largestDifference(depth, b[t]!) / Math.max(...depth))
    expect(Math.min(...errors)).toBeGreaterThan(1e-6)
    expect(Math.max(...errors)).toBeLessThan(0.05)
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
    expect(mean(errors.slice(48))).toBeLessThan(1.5 * mean(errors.slice(0, 16)))
  }
)

test('int8 is refused where it does not fit: several rows, standard operators', () => {
  expect(() => buildStepGraph({ ...options, precision: 'int8', batch: 2 })).toThrow(/int8.*batch of 2/)
  expect(() => buildStepGraph({ ...options, precision: 'int8', opSet: 'standard' })).toThrow(/int8.*standard/)
})
