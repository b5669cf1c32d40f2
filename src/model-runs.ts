import { LeadlineError } from './errors.ts'
import type { ModelSummary } from './manifest.ts'
import type { SessionOptions } from './session.ts'

/** What of a session's options decides how its model is run. */
export type ModelWishes = Pick<SessionOptions, 'mode' | 'cacheSize'> &
  Partial<Pick<SessionOptions, 'stabilize' | 'steadyRange'>>

/** Throws MODEL_MODE_UNSUPPORTED, naming the choices, when the model cannot run as wished. */
export function checkModelRuns(
  { name, quantity, temporal }: Pick<ModelSummary, 'name' | 'quantity' | 'temporal'>,
  { mode, cacheSize, stabilize = false, steadyRange = false }: ModelWishes
): void {
  const { modes, cacheSizes } = temporal
  if (!modes.includes(mode))
    throw unsupported(`Model "${name}" has no mode "${mode}"; it runs: ${modes.join(', ')}`)
  if (mode === 'ovda' && cacheSize !== null && !cacheSizes.includes(cacheSize)) {
    const choices = cacheSizes.join(', ')
    throw unsupported(`Model "${name}" has no window of ${cacheSize} frames; "cacheSize" may be ${choices}`)
  }
  if (stabilize && quantity === 'metric-depth')
    throw unsupported(`Model "${name}" gives metres, which "stabilize" would bend; leave it out`)
  if (mode === 'vda-window' && (stabilize || steadyRange)) {
    throw unsupported(
      'Mode "vda-window" fits its windows to each other itself; leave "stabilize" and "steadyRange" out'
    )
  }
}

function unsupported(detail: string): LeadlineError {
  return new LeadlineError('MODEL_MODE_UNSUPPORTED', detail)
}
