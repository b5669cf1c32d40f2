import type { Plan } from '../../src/inference/executor.ts'
import { sizeMultiple } from '../../src/inference/weights/architecture-rules.ts'
import { tinyArchitecture } from '../inference/tiny-architecture.ts'
import type { TinyModel } from './tiny-model.ts'

/** What an executor's contract is tested with. */
export function smallPlan({ weightsPath, digest, architecture }: Omit<TinyModel, 'remove'>): Plan {
  const multiple = sizeMultiple(architecture)
  return {
    ...{ weightsPath, digest, architecture },
    mode: 'ovda',
    width: 3 * multiple,
    height: 2 * multiple,
    cacheSize: 4,
    attendSelf: false,
    precision: 'fp32'
  }
}

/** For executors that read no weights. */
export const noWeights = { weightsPath: '', digest: '0'.repeat(64), architecture: tinyArchitecture }
