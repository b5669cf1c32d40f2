import { LeadlineError } from '../errors.ts'
import type { Sessions } from '../sessions/index.ts'

const nobody = () => Promise.reject(new LeadlineError('NO_WORKER', 'This process serves no sessions'))

/** Sessions of a gateway that serves nobody: enough to describe its routes. */
export const noSessions: Sessions = {
  open: nobody,
  resume: nobody,
  list: () => Promise.resolve({ sessions: [], cursor: null }),
  end: nobody,
  workers: () => Promise.resolve([]),
  drainWorker: nobody,
  rebalance: nobody,
  rebalancePlan: () => Promise.resolve({ moves: [], workers: [] }),
  models: () => Promise.resolve([]),
  readiness: () =>
    Promise.resolve({
      ...{ ready: false, code: 'NO_WORKER', missing: ['worker'] },
      reason: 'This process serves no sessions'
    }),
  close: () => Promise.resolve()
}
