import type { Executor, Plan } from '../../src/inference/executor.ts'

/** What a part of the executors' contract gets of the whole. */
export interface ExecutorAtHand {
  running(): Executor
  plan(overrides?: Partial<Plan>): Plan
  /** Depth of each seed's frame, one step a frame, as fingerprints. */
  run(model: number, state: number, seeds: number[], firstPosition?: number): Promise<string[]>
  /** Freed at the end of the test. */
  newState(model: number): Promise<number>
}
