import type { Config } from '../../config.ts'
import { LeadlineError } from '../../errors.ts'
import { planKey, type Plan } from '../executor.ts'
import { networkSize } from '../pixels/resolution.ts'
import { planOf, sessionPlan, type ServedModel, type SessionPlan } from '../session-plan.ts'

export type WarmUpConfig = Pick<Config, 'warmUpSizes' | 'warmUpModes'>

/**
 * What sessions of these modes need, of every model that has them, for frames of these sizes; no plan twice. Where no mode is
 * named: what a session needs that asks for nothing special. Throws CONFIG_INVALID for a mode or window that no model has.
 */
export function warmUpPlans(
  models: readonly ServedModel[],
  { warmUpSizes, warmUpModes }: WarmUpConfig
): Plan[] {
  if (warmUpSizes.length === 0) return []
  for (const wished of warmUpModes) if (!models.some((model) => has(model, wished))) refuse(wished)
  const plans = models.flatMap((model) =>
    sessionPlans(model, warmUpModes).flatMap((plan) =>
      warmUpSizes.map((source) => planOf(plan, networkSize(source, model.manifest.resolution)))
    )
  )
  return [...new Map(plans.map((plan) => [planKey(plan), plan])).values()]
}

type WishedMode = WarmUpConfig['warmUpModes'][number]

function sessionPlans(model: ServedModel, wishes: readonly WishedMode[]): SessionPlan[] {
  const { modes } = model.manifest.temporal
  const usual = { mode: modes.includes('ovda') ? 'ovda' : modes[0]!, cacheSize: null } as const
  const taken = wishes.length === 0 ? [usual] : wishes.filter((wished) => has(model, wished))
  return taken.map((wished) => sessionPlan(model, wished))
}

function has({ manifest: { temporal } }: ServedModel, { mode, cacheSize }: WishedMode): boolean {
  return temporal.modes.includes(mode) && (cacheSize === null || temporal.cacheSizes.includes(cacheSize))
}

function refuse({ mode, cacheSize }: WishedMode): never {
  const wished = cacheSize === null ? mode : `${mode}:${cacheSize}`
  throw new LeadlineError(
    'CONFIG_INVALID',
    `LEADLINE_WARMUP_MODES names ${wished}, and no model that is served has it; "leadline models list" shows what they have`
  )
}
