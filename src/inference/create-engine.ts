import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import type { FrameEngine } from '../session.ts'
import { Engine } from './engine.ts'
import type { ExecutorSpec } from './executors/child-messages.ts'
import { ProcessExecutor } from './executors/process.ts'
import { configureDecoder } from './preprocess.ts'
import { servedModels } from './served-models.ts'
import type { ModelsConfig } from './served-models.ts'

export type EngineConfig = ModelsConfig & Pick<Config, 'threads' | 'memoryBytes' | 'maxPixels'>

export interface CreateEngineOptions {
  config: EngineConfig
  log: Logger
}

/** An engine and the executor process it runs on. */
export interface RunningEngine {
  engine: FrameEngine & {
    /** Bytes that open sessions hold. */
    readonly reservedBytes: number
  }
  /** Sessions are closed first, the executor process after them. Twice without harm. */
  close(): Promise<void>
}

/**
 * The engine as configured: the models found, the executor in a process of its own. Throws MODEL_UNKNOWN when there is
 * nothing to serve and EXECUTOR_FAILED when the process does not come up.
 */
export async function createEngine({ config, log }: CreateEngineOptions): Promise<RunningEngine> {
  configureDecoder()
  const models = await servedModels(config, log)
  const spec = executorSpec(config)
  const executor = await ProcessExecutor.start({ spec, log: log.child({ part: 'executor' }) })
  const { memoryBytes: capacityBytes, maxPixels } = config
  const engine = new Engine({
    executor,
    models,
    capacityBytes,
    maxPixels,
    log: log.child({ part: 'engine' })
  })
  return {
    engine,
    close: async () => {
      await engine.closeAll()
      await executor.close()
    }
  }
}

export function executorSpec(config: Pick<Config, 'executor' | 'threads'>): ExecutorSpec {
  return config.executor === 'fake' ? { kind: 'fake' } : { kind: 'ort-node', threads: config.threads }
}
