import type { Logger } from 'pino'
import { asLeadlineError } from '../../errors.ts'
import { executorSpec, type DeviceConfig } from '../executors/spec.ts'
import type { Finding } from './finding.ts'
import { stateBytesOf } from '../executors/build.ts'
import {
  describeBudget,
  describeMemory,
  modelMemory,
  usualMode,
  type MemoryConfig,
  type MemoryOf
} from '../memory-report.ts'
import { servedModels, type ModelsConfig } from '../engine/served-models.ts'
import type { ServedModel } from '../session-plan.ts'

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

function findingOf(model: ServedModel, executor: MemoryOf, { memoryBytes }: MemoryConfig): Finding {
  const memory = modelMemory(model, executor, memoryBytes)
  const finding = { subject: `memory of ${memory.model}`, detail: describeMemory(memory) }
  if (usualMode(memory).sessions !== 0) return { ...finding, state: 'ok' }
  return { ...finding, state: 'missing', remedy: 'for a session of it: more LEADLINE_MEMORY_MIB' }
}
