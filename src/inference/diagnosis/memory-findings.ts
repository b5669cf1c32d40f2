import type { Logger } from 'pino'
import type { Config } from '../../config.ts'
import { asLeadlineError } from '../../errors.ts'
import { executorSpec, type DeviceConfig } from '../create-engine.ts'
import type { Finding } from './diagnosis.ts'
import { stateBytesOf } from '../executors/build.ts'
import { describeMemory, modelMemory, usualMode, type MemoryOf } from '../memory-budget.ts'
import { servedModels, type ModelsConfig } from '../engine/served-models.ts'
import type { ServedModel } from '../session-plan.ts'

export type MemoryConfig = Pick<Config, 'memoryBytes' | 'replayBytes' | 'workspaceBytes'>

/** What there is for sessions, and what those of each model take. Loads no native code. */
export async function findMemory(
  config: MemoryConfig & DeviceConfig & ModelsConfig,
  log: Logger
): Promise<Finding[]> {
  const total: Finding = { subject: 'memory', state: 'ok', detail: describeBudget(config) }
  try {
    const spec = executorSpec(config)
    const executor = {
      stateBytes: stateBytesOf[spec.kind],
      caps: { maxBatch: spec.kind === 'ort-capi' ? (spec.maxBatch ?? 1) : 1 }
    }
    const models = await servedModels(config, log)
    return [total, ...[...models.values()].map((model) => findingOf(model, executor, config))]
  } catch (error) {
    return [{ ...total, state: 'broken', detail: asLeadlineError(error).message }]
  }
}

/** The same for the log of a service. */
export function logMemory(
  models: Iterable<ServedModel>,
  executor: MemoryOf,
  config: MemoryConfig,
  log: Logger
): void {
  const { memoryBytes, replayBytes, workspaceBytes } = config
  log.info({ memoryBytes, replayBytes, workspaceBytes }, `memory: ${describeBudget(config)}`)
  for (const model of models) {
    const memory = modelMemory(model, executor, memoryBytes)
    log.info(memory, `memory of ${memory.model}: ${describeMemory(memory)}`)
  }
}

function findingOf(model: ServedModel, executor: MemoryOf, { memoryBytes }: MemoryConfig): Finding {
  const memory = modelMemory(model, executor, memoryBytes)
  const finding = { subject: `memory of ${memory.model}`, detail: describeMemory(memory) }
  if (usualMode(memory).sessions !== 0) return { ...finding, state: 'ok' }
  return { ...finding, state: 'missing', remedy: 'for a session of it: more LEADLINE_MEMORY_MIB' }
}

function describeBudget({ memoryBytes, replayBytes, workspaceBytes }: MemoryConfig): string {
  const workspace = workspaceBytes === null ? 'as it comes' : `${workspaceBytes / 2 ** 20} MiB`
  return (
    `${memoryBytes / 2 ** 20} MiB of the device for latent caches, ${replayBytes / 2 ** 20} MiB of the host ` +
    `for the last frames of sessions; weights and workspace ${workspace}`
  )
}
