import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { OrtNodeExecutor } from '../src/inference/executors/ort-node/ort-node.ts'
import { networkSize } from '../src/inference/pixels/resolution.ts'
import { digestOf } from '../src/inference/weights/digest.ts'
import { writeSafetensors } from '../src/inference/weights/safetensors-writer.ts'
import type { Architecture, Precision, ResolutionRule } from '../src/manifest.ts'
import { bundled } from './bundled.ts'
import { randomNumbers, randomWeights } from './random-weights.ts'
import { median, report } from './report.ts'
import { vitNano } from './vit-nano.ts'

/**
 * The bundled model beside a vision transformer of its size, each at its size for 16:9, in float32 and in int8, in turns in one run:
 * a step with a full window of 16 on one thread, random weights.
 *
 *     npx tsx bench/encoder.ts [--rounds 12] [--frames 6]
 *
 * By the process's own CPU time, which other processes disturb least.
 */
const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '12' }, frames: { type: 'string', default: '6' } }
})
const [rounds, numFrames] = [options.rounds, options.frames].map(Number) as [number, number]
const cacheSize = 16

const vitRule: ResolutionRule = { multiple: 14, lowerBound: 154, maxArea: 68_600 }
const networks = [
  { name: 'a ViT of its size', architecture: vitNano, rule: vitRule },
  { name: bundled.name, architecture: bundled.architecture, rule: bundled.resolution }
]

const executor = new OrtNodeExecutor({ threads: 1 })
const folder = await mkdtemp(path.join(os.tmpdir(), 'leadline-bench-'))
try {
  const cases: { name: string; step: () => Promise<void>; timesMs: number[] }[] = []
  for (const precision of ['fp32', 'int8'] as const)
    for (const network of networks) cases.push({ ...(await prepare(network, precision)), timesMs: [] })
  for (let round = 0; round < rounds; round++)
    for (const { step, timesMs } of cases)
      for (let frame = 0; frame < numFrames; frame++) timesMs.push(await cpuTimeMs(step))
  const [first] = cases
  for (const { name, timesMs } of cases)
    report({
      ...{ name: `${name}, c16, 1 thread: CPU time of a frame`, value: median(timesMs), unit: 'ms' },
      ...{ ratio: median(timesMs) / median(first!.timesMs), to: first!.name }
    })
} finally {
  await executor.close()
  await rm(folder, { recursive: true, force: true })
}

interface Network {
  name: string
  architecture: Architecture
  rule: ResolutionRule
}

/** Loads a network and fills its cache. */
async function prepare({ name, architecture, rule }: Network, precision: Precision) {
  const { width, height } = networkSize({ width: 1920, height: 1080 }, rule)
  const bytes = writeSafetensors(randomWeights(architecture, 1), 'float32')
  const weightsPath = path.join(folder, `${name}.safetensors`)
  await writeFile(weightsPath, bytes)
  const model = await executor.load({
    ...{ weightsPath, digest: digestOf(bytes), architecture, width, height },
    ...{ mode: 'ovda', cacheSize, attendSelf: false, precision }
  })
  const state = await executor.newState(model)
  const next = randomNumbers(2)
  const frame = Uint8Array.from({ length: height * width * 3 }, () => 255 * (next() + 0.5))
  let framesSeen = 0
  const step = async () => {
    await executor.step(model, [{ state, framesSeen: framesSeen++, frame }])
  }
  while (framesSeen < cacheSize + 3) await step()
  return { name: `${name} ${width}x${height} ${precision}`, step }
}

async function cpuTimeMs(step: () => Promise<void>): Promise<number> {
  const started = process.cpuUsage()
  await step()
  const { user, system } = process.cpuUsage(started)
  return (user + system) / 1000
}
