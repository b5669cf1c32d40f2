import type { Logger } from 'pino'
import { LeadlineError } from '../../errors.ts'
import { executorSpec, type DeviceConfig } from '../executors/spec.ts'
import { ProcessExecutor } from '../executors/process/process.ts'
import { networkSize, type Size } from '../pixels/resolution.ts'
import { defaultModel, type ModelsConfig } from '../engine/served-models.ts'
import type { ModelWishes } from '../../model-runs.ts'
import { planOf, sessionPlan } from '../session-plan.ts'

export interface CompileOptions extends ModelWishes {
  model: string
  /** Sizes of frames. */
  sources: readonly Size[]
}

export interface CompiledSize extends Size {
  seconds: number
}

/**
 * Builds the engines that TensorRT needs for frames of these sizes, and leaves them in the engine folder for whoever serves
 * with it. Calls `onCompiled` after each network size. Throws CONFIG_INVALID where nothing can be kept, MODEL_UNKNOWN,
 * MODEL_MODE_UNSUPPORTED, and EXECUTOR_FAILED when the device cannot be used.
 */
export async function compileModel(
  config: DeviceConfig & ModelsConfig,
  { model, sources, ...wishes }: CompileOptions,
  { log, onCompiled }: { log: Logger; onCompiled: (size: CompiledSize) => void }
): Promise<void> {
  checkCompiles(config)
  const served = await defaultModel({ ...config, defaultModel: model }, log)
  const plan = sessionPlan(served, wishes)
  const executor = await ProcessExecutor.start({ spec: executorSpec(config), log })
  try {
    for (const source of sources) {
      const size = networkSize(source, served.manifest.resolution)
      const startedMs = performance.now()
      await executor.unload(await executor.load(planOf(plan, size)))
      onCompiled({ ...size, seconds: (performance.now() - startedMs) / 1000 })
    }
  } finally {
    await executor.close()
  }
}

function checkCompiles({ device, engineDir }: DeviceConfig): void {
  if (device !== 'tensorrt')
    throw new LeadlineError(
      'CONFIG_INVALID',
      `Only TensorRT compiles networks ahead; LEADLINE_DEVICE=${device} builds them when they are loaded (see --warmup of "leadline serve"). Set LEADLINE_DEVICE=tensorrt and LEADLINE_ENGINE_DIR`
    )
  if (engineDir === null)
    throw new LeadlineError(
      'CONFIG_INVALID',
      'LEADLINE_ENGINE_DIR is empty, so engines would be lost again; name a folder that the server reads too'
    )
}
