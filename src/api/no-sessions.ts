import { LeadlineError } from '../errors.ts'
import type { Sessions } from '../sessions/index.ts'

/** Sessions of a gateway that serves nobody: enough to describe its routes. */
export const noSessions: Sessions = {
  open: () => Promise.reject(new LeadlineError('NO_WORKER', 'This process serves no sessions')),
  models: () => Promise.resolve([]),
  readiness: () =>
    Promise.resolve({ ready: false, code: 'NO_WORKER', reason: 'This process serves no sessions' }),
  close: () => Promise.resolve()
}
