import type { Registry } from 'prom-client'
import { counter, histogram, watched } from '../../metering/meters.ts'
import type { ParkReason } from '../../session.ts'

/** What the time is spent on in which a session gives nothing because its worker is gone. */
export type StallStage = 'detection' | 'placement' | 'rebuild'

export interface StallMeter {
  /** One stage of one session's stall has ended. */
  stalled(stage: StallStage, seconds: number): void
}

/** What a gateway counts of its sessions. */
export interface GatewayMeter extends StallMeter {
  /** Another worker was looked for in place of one that is lost. */
  replaced(result: 'placed' | 'failed'): void
}

/** What a worker counts of its sessions. */
export interface WorkerMeter {
  /** One had to leave device memory. */
  evicted(reason: ParkReason): void
  /** One came back: so long after the frame that it came back for, that frame had its outcome. */
  unparked(seconds: number): void
}

/** Where a session of a worker stands, for whoever looks after it. */
const workerSessionStates = ['opening', 'active', 'detached', 'parked', 'moving'] as const
export type WorkerSessionState = (typeof workerSessionStates)[number]

export function gatewayMeter(registry: Registry): GatewayMeter {
  const stalls = histogram(registry, 'leadline_session_stall_seconds')
  const replacements = counter(registry, 'leadline_replacements_total')
  for (const result of ['placed', 'failed']) replacements.inc({ result }, 0)
  return {
    stalled: (stage, seconds) => stalls.observe({ stage }, seconds),
    replaced: (result) => replacements.inc({ result })
  }
}

export function watchGateway(
  registry: Registry,
  gateway: { readonly held: { served: number; lost: number } }
): void {
  watched(registry, 'leadline_gateway_sessions', (set) => {
    for (const [state, sessions] of Object.entries(gateway.held)) set(sessions, { state })
  })
}

export function workerMeter(registry: Registry): WorkerMeter {
  const evictions = counter(registry, 'leadline_evictions_total')
  for (const reason of ['idle', 'capacity']) evictions.inc({ reason }, 0)
  const returns = histogram(registry, 'leadline_unpark_seconds')
  return {
    evicted: (reason) => evictions.inc({ reason }),
    unparked: (seconds) => returns.observe(seconds)
  }
}

export function watchWorker(
  registry: Registry,
  worker: { readonly standing: { movedSessions: number; states: readonly WorkerSessionState[] } }
): void {
  watched(registry, 'leadline_sessions', (set) => {
    const { states } = worker.standing
    for (const state of workerSessionStates) set(states.filter((one) => one === state).length, { state })
  })
  watched(registry, 'leadline_moves_total', (set) => set(worker.standing.movedSessions))
}
