import type { Plan } from '../../src/inference/executor.ts'
import { tinyArchitecture } from '../inference/tiny-architecture.ts'

/** What an executor's contract is tested with. */
export function smallPlan(model: { weightsPath: string; digest: string }): Plan {
  return {
    weightsPath: model.weightsPath,
    digest: model.digest,
    architecture: tinyArchitecture,
    mode: 'ovda',
    width: 42,
    height: 28,
    cacheSize: 4,
    attendSelf: false,
    precision: 'fp32'
  }
}

/** For executors that read no weights. */
export const noWeights = { weightsPath: '', digest: '0'.repeat(64) }
