import type { WorkerEvent } from '../link.ts'

/** What a gateway is answered that asks for a session which is over, or which nobody ever put here. */
export const notHere = {
  ...{ type: 'openFailed', code: 'SESSION_UNKNOWN', retryAfterMs: null },
  detail: 'The session is over; open a new one'
} as const satisfies WorkerEvent

/** And one for a session that goes on elsewhere, since this worker could not keep it. */
export const notAnyMore = {
  ...{ type: 'openFailed', code: 'WORKER_LOST', retryAfterMs: null },
  detail: 'The worker has the session no more'
} as const satisfies WorkerEvent
