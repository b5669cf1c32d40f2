import type { Manifest, Precision } from '../manifest.ts'
import type { ModelWishes } from '../model-runs.ts'
import { checkModelRuns } from '../model-runs.ts'
import type { Mode } from '../session.ts'
import type { Executor, Plan } from './executor.ts'
import { largestSizes } from './pixels/resolution.ts'
import type { Size } from './pixels/resolution.ts'

/** A model that can be run: its manifest and where its weights lie. */
export interface ServedModel {
  manifest: Manifest
  weightsPath: string
  /** @default 'fp32' */
  precision?: Precision
}

/** A plan but for the size, which the frames decide. */
export type SessionPlan = Omit<Plan, 'width' | 'height'>

export function planOf(plan: SessionPlan, { width, height }: Size): Plan {
  return { ...plan, width, height }
}

/** What a session runs, from its wishes and the model's manifest. Throws MODEL_MODE_UNSUPPORTED, naming the choices. */
export function sessionPlan(
  { manifest, weightsPath, precision = 'fp32' }: ServedModel,
  { mode, cacheSize, ...wishes }: ModelWishes
): SessionPlan {
  const { defaultCacheSize, attendSelf } = manifest.temporal
  checkModelRuns(manifest, { mode, cacheSize, ...wishes })
  return {
    weightsPath,
    digest: manifest.weights.sha256,
    architecture: manifest.architecture,
    mode,
    cacheSize: mode === 'ovda' ? (cacheSize ?? defaultCacheSize) : defaultCacheSize,
    attendSelf,
    precision
  }
}

/** The most device memory a session of the plan can take, whatever size its frames have. */
export function worstCaseBytes(
  plan: SessionPlan,
  rule: Manifest['resolution'],
  executor: Pick<Executor, 'stateBytes'>
): number {
  return Math.max(...largestSizes(rule).map((size) => executor.stateBytes(planOf(plan, size))))
}

/** The most that a session of the model can take in each of its modes, with the largest window. */
export function worstCases(
  model: ServedModel,
  executor: Pick<Executor, 'stateBytes'>
): Record<string, number> {
  const { modes, cacheSizes } = model.manifest.temporal
  const cacheSize = Math.max(...cacheSizes)
  const bytesIn = (mode: Mode) =>
    worstCaseBytes(sessionPlan(model, { mode, cacheSize }), model.manifest.resolution, executor)
  return Object.fromEntries(modes.map((mode) => [mode, bytesIn(mode)]))
}
