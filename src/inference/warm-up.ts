import { planKey, type Plan } from './executor.ts'
import { networkSize, type Size } from './resolution.ts'
import { planOf, sessionPlan, type ServedModel } from './session-plan.ts'

/** What a session needs that asks for nothing special, of every model, for frames of these sizes; no plan twice. */
export function warmUpPlans(models: Iterable<ServedModel>, sources: readonly Size[]): Plan[] {
  const plans = [...models].flatMap((model) => {
    const { modes } = model.manifest.temporal
    const mode = modes.includes('ovda') ? 'ovda' : modes[0]!
    const plan = sessionPlan(model, { mode, cacheSize: null })
    return sources.map((source) => planOf(plan, networkSize(source, model.manifest.resolution)))
  })
  return [...new Map(plans.map((plan) => [planKey(plan), plan])).values()]
}
