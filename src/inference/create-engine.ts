import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { FrameMeter } from '../metering/frame-stages.ts'
import type { Config } from '../config.ts'
import { LeadlineError } from '../errors.ts'
import type { FrameEngine } from '../frame-engine.ts'
import { closeEngine } from './engine/close-engine.ts'
import { EngineMetrics } from './engine/engine-metrics.ts'
import { deviceComplaint } from './diagnosis/device-complaint.ts'
import { Engine } from './engine/engine.ts'
import type { Plan } from './executor.ts'
import { executorSpec } from './executors/spec.ts'
import type { DeviceConfig } from './executors/spec.ts'
import { ProcessExecutor } from './executors/process/process.ts'
import { logMemory } from './memory-report.ts'
import { WindowSession } from './offline/window-session.ts'
import { PixelPool } from './pixels/pixel-pool.ts'
import { configureDecoder } from './pixels/preprocess.ts'
import { servedModels } from './engine/served-models.ts'
import { holdModels } from './models/model-hold.ts'
import { tryOut } from './engine/trial.ts'
import { warmUpPlans } from './engine/warm-up.ts'
import type { WarmUpConfig } from './engine/warm-up.ts'
import type { ModelsConfig } from './engine/served-models.ts'

export type EngineConfig = ModelsConfig &
  DeviceConfig &
  Pick<Config, 'memoryBytes' | 'replayBytes' | 'parkedBytes' | 'maxPixels'> &
  WarmUpConfig &
  Partial<Pick<Config, 'addedModelsDir'>>

export interface CreateEngineOptions {
  config: EngineConfig
  log: Logger
  /** Told of every frame that got a depth map, and closed with the engine. @default nobody */
  tracer?: (FrameMeter & { close(): Promise<void> }) | null
}

/** An engine and the executor process it runs on. */
export interface RunningEngine {
  engine: FrameEngine & {
    /** Bytes that open sessions hold. */
    readonly reservedBytes: number
    /** Host memory that the latent caches of parked sessions hold. */
    readonly parkedBytes: number
  }
  metrics: Registry
  /** Whether there is an executor process, or one is starting; one that hangs is ended and started again by itself. */
  isAlive(): boolean
  /** Sessions are closed first, the executor process after them, also in the midst of a load. Twice without harm. */
  close(): Promise<void>
}

/**
 * The engine as configured: the models found, the executor in a process of its own, the default model tried on its device.
 * Throws MODEL_UNKNOWN or MODEL_LICENSE when the default model cannot be served, MODEL_FILE_INVALID when it or the manifest
 * of any is broken, EXECUTOR_FAILED when the device cannot run it or does not come up, NO_CAPACITY and MEMORY_EXHAUSTED when
 * it does not fit. Nothing is left running then.
 */
export async function createEngine({ config, log, tracer }: CreateEngineOptions): Promise<RunningEngine> {
  configureDecoder()
  const models = await servedModels(config, log)
  const spec = executorSpec(config)
  const executor = await ProcessExecutor.start({ spec, log: log.child({ part: 'executor' }) }).catch(
    (error: unknown) => refuseDevice(error, config)
  )
  const {
    defaultModel,
    warmUpSizes,
    memoryBytes: capacityBytes,
    replayBytes,
    parkedBytes,
    maxPixels
  } = config
  const metrics = new EngineMetrics((seconds) => log.info({ seconds }, 'first depth map'))
  const pixels = new PixelPool()
  const engine = new Engine({
    executor,
    models,
    capacityBytes,
    maxPixels,
    replayBytes,
    parkedBytes,
    pixels,
    openWindows: (options) => new WindowSession(options),
    meter: {
      stepped: (rows, seconds) => metrics.stepped(rows, seconds),
      framed: (frame) => {
        metrics.framed(frame)
        tracer?.framed(frame)
      }
    },
    log: log.child({ part: 'engine' })
  })
  metrics.watch(engine, executor, () => executor.isAlive)
  logMemory(models.values(), executor, config, log)
  const letGo = holdModels(models.values(), config.addedModelsDir ?? null, log)
  const close = async () => {
    await closeEngine(engine, executor)
    letGo()
    await pixels.close()
    await tracer?.close()
  }
  try {
    for (const plan of warmUpPlans([...models.values()], config)) await warmUp(engine, plan, log)
    await tryOut(engine, defaultModel, warmUpSizes[0])
  } catch (error) {
    await close()
    refuseDevice(error, config)
  }
  return { engine, metrics: metrics.registry, isAlive: () => executor.isAlive, close }
}

/** A device that cannot run the default model says so in words of its own. */
function refuseDevice(error: unknown, { device, defaultModel }: EngineConfig): never {
  if (!(error instanceof LeadlineError) || error.code !== 'EXECUTOR_FAILED') throw error
  throw new LeadlineError(
    'EXECUTOR_FAILED',
    `LEADLINE_DEVICE=${device} cannot run "${defaultModel}": ${deviceComplaint(error.message)}; ` +
      `"leadline doctor" says what is missing${device === 'cpu' ? '' : '; LEADLINE_DEVICE=cpu runs anywhere'}`,
    { cause: error }
  )
}

async function warmUp(engine: Engine, plan: Plan, log: Logger): Promise<void> {
  const { digest, mode, width, height, cacheSize, precision } = plan
  const startedMs = performance.now()
  await engine.keepLoaded(plan)
  const ms = Math.round(performance.now() - startedMs)
  log.info({ digest, mode, width, height, cacheSize, precision, ms }, 'warmed up')
}
