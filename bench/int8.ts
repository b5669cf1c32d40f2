/**
 * leadline-nano in int8 against float32: time of a step on one thread, in turns, and how far the depth of
 * the project's own clip moves. models/leadline-nano/results/int8.jsonl is what this prints.
 */
import { pino } from 'pino'
import { loadConfig } from '../src/config.ts'
import type { Precision } from '../src/manifest.ts'
import { OrtNodeExecutor } from '../src/inference/executors/ort-node/ort-node.ts'
import { planOf, servedModels, sessionPlan } from '../src/inference/index.ts'
import { prepareRgb } from '../src/inference/pixels/preprocess.ts'
import { median, report } from './report.ts'
import { clip } from './stream/clip.ts'

const frames = 96
const config = loadConfig({})
const model = (await servedModels(config, pino({ level: 'silent' }))).get(config.defaultModel)
if (!model) throw new Error(`${config.defaultModel} is not here`)
const executor = new OrtNodeExecutor({ threads: 1 })
const prepared = await Promise.all(
  clip(frames).map(({ rgb, width, height }) => prepareRgb(rgb, { width, height }, model.manifest.resolution))
)
const { size } = prepared[0]!

async function open(precision: Precision) {
  const plan = sessionPlan({ ...model!, precision }, { mode: 'ovda', cacheSize: 16 })
  const handle = await executor.load(planOf(plan, size))
  return {
    handle,
    state: await executor.newState(handle),
    timesMs: [] as number[],
    depths: [] as Float32Array[]
  }
}

const [fp32, int8] = [await open('fp32'), await open('int8')]
for (const [framesSeen, { rgb }] of prepared.entries()) {
  for (const side of [fp32, int8]) {
    const started = process.cpuUsage()
    const [result] = await executor.step(side.handle, [{ state: side.state, framesSeen, frame: rgb }])
    const { user, system } = process.cpuUsage(started)
    side.timesMs.push((user + system) / 1000)
    side.depths.push(result!.depth)
  }
}
await executor.close()

const [slowMs, fastMs] = [median(fp32.timesMs), median(int8.timesMs)]
const what = `${config.defaultModel}, ${size.width}x${size.height}, c16, 1 thread`
report({
  ...{ name: `${what}: frames per second of CPU time, int8`, value: 1000 / fastMs, unit: 'frames/s' },
  ...{ ratio: slowMs / fastMs, to: 'float32' }
})
report({
  ...{ name: `${what}: mean |int8 - float32| of the range`, unit: '%' },
  value: 100 * median(fp32.depths.map((depth, i) => meanDifference(depth, int8.depths[i]!)))
})

function meanDifference(expected: Float32Array, actual: Float32Array): number {
  let [sum, min, max] = [0, Infinity, -Infinity]
  for (const [i, value] of expected.entries()) {
    sum += Math.abs(value - actual[i]!)
    min = Math.min(min, value)
    max = Math.max(max, value)
  }
  return sum / expected.length / (max - min)
}
