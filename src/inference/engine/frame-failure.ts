import { asLeadlineError, LeadlineError } from '../../errors.ts'
import type { SessionEvent } from '../../session.ts'

/** The outcome of a frame that failed by itself. */
export function frameError(seq: number, error: unknown): SessionEvent {
  const { code, message } = asLeadlineError(error)
  return { type: 'error', seq, code, detail: message }
}

/** A NaN stays in the latent cache and spoils every frame after it. */
export function notFinite(seq: number): LeadlineError {
  return new LeadlineError(
    'EXECUTOR_FAILED',
    `The depth of frame ${seq} holds NaN or infinity; the latent cache cannot be trusted any more`
  )
}
