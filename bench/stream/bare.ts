/** The executor alone: frames prepared beforehand, one step after the other in this process, nothing between them. */
import { pino } from 'pino'
import { loadConfig } from '../../src/config.ts'
import { OrtNodeExecutor } from '../../src/inference/executors/ort-node/ort-node.ts'
import { planOf, servedModels, sessionPlan } from '../../src/inference/index.ts'
import { prepareRgb } from '../../src/inference/pixels/preprocess.ts'
import { clip } from './clip.ts'

const frames = Number(process.argv[2])
const config = loadConfig()
const model = (await servedModels(config, pino({ level: 'silent' }))).get(config.defaultModel)
if (!model) throw new Error(`${config.defaultModel} is not here`)
const executor = new OrtNodeExecutor({ threads: 1 })
const prepared = await Promise.all(
  clip(frames).map(({ rgb, width, height }) => prepareRgb(rgb, { width, height }, model.manifest.resolution))
)
const size = prepared[0]?.size ?? { width: 0, height: 0 }
const handle = await executor.load(planOf(sessionPlan(model, { mode: 'ovda', cacheSize: 16 }), size))
const state = await executor.newState(handle)

const latenciesMs: number[] = []
const startedMs = performance.now()
for (const [framesSeen, { rgb }] of prepared.entries()) {
  const stepMs = performance.now()
  await executor.step(handle, [{ state, framesSeen, frame: rgb }])
  latenciesMs.push(performance.now() - stepMs)
}
const fps = (frames * 1000) / (performance.now() - startedMs)
await executor.close()
process.send?.({ fps, latenciesMs })
