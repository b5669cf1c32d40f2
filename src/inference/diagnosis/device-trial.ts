import type { Logger } from 'pino'
import { executorSpec, type DeviceConfig } from '../executors/spec.ts'
import type { ExecutorSpec } from '../executors/spec.ts'
import { ProcessExecutor } from '../executors/process/process.ts'
import type { Mode } from '../../session.ts'
import { defaultModel, type ModelsConfig } from '../engine/served-models.ts'
import { networkSize } from '../pixels/resolution.ts'
import { planOf, sessionPlan, type ServedModel } from '../session-plan.ts'

export interface DeviceTrial {
  model: string
  /** As the executor calls itself. */
  device: string
  /** Network size, in pixels. */
  width: number
  height: number
  /** Median of the steps, frame in to depth out, in milliseconds. */
  stepMs: number
  /** Largest |device - CPU| over the largest value, over all frames. */
  difference: number
}

const trialFrames = 8
const sourceSize = { width: 640, height: 360 }

/**
 * The default model on the configured device, a few frames long, against ort-node on the CPU. In processes of their own:
 * where a device fails, it may be by a signal. Throws EXECUTOR_FAILED, MODEL_UNKNOWN or CONFIG_INVALID.
 */
export async function tryDevice(
  config: DeviceConfig & ModelsConfig & { threads: number },
  log: Logger
): Promise<DeviceTrial> {
  const model = await defaultModel(config, log)
  const { precision: _, ...exact } = model
  const reference = await depthsOn({ kind: 'ort-node', threads: config.threads }, exact, log)
  const tried = await depthsOn(executorSpec(config), model, log)
  const largest = Math.max(...reference.depths.map(largestOf))
  const differences = tried.depths.map((depth, i) =>
    largestOf(depth.map((value, j) => Math.abs(value - reference.depths[i]![j]!)))
  )
  return {
    ...{ model: config.defaultModel, device: tried.device, ...tried.size },
    ...{ stepMs: tried.stepMs, difference: Math.max(...differences) / largest }
  }
}

async function depthsOn(spec: ExecutorSpec, model: ServedModel, log: Logger) {
  const executor = await ProcessExecutor.start({ spec, log })
  try {
    const size = networkSize(sourceSize, model.manifest.resolution)
    const handle = await executor.load(
      planOf(sessionPlan(model, { mode: trialMode(model), cacheSize: null }), size)
    )
    const state = await executor.newState(handle)
    const depths: Float32Array[] = []
    const timesMs: number[] = []
    for (let framesSeen = 0; framesSeen < trialFrames; framesSeen++) {
      const startedMs = performance.now()
      const [result] = await executor.step(handle, [
        { state, framesSeen, frame: movingRamp(size, framesSeen) }
      ])
      timesMs.push(performance.now() - startedMs)
      depths.push(result!.depth)
    }
    const stepMs = timesMs.sort((a, b) => a - b)[trialFrames >> 1]!
    return { size, depths, stepMs, device: `${executor.caps.name}, ${executor.caps.device}` }
  } finally {
    await executor.close()
  }
}

/** One with a past, where the model has it. */
function trialMode({ manifest: { temporal } }: ServedModel): Mode {
  return temporal.modes.includes('ovda') ? 'ovda' : temporal.modes[0]!
}

/** A picture with something in it that moves. */
function movingRamp({ width, height }: { width: number; height: number }, frame: number): Uint8Array {
  return Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)]
    return (x + 3 * frame) ^ (y * (1 + (i % 3)))
  })
}

function largestOf(values: Float32Array): number {
  return values.reduce((most, value) => Math.max(most, value), 0)
}
