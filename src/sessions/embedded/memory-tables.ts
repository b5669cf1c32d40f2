import { MemoryRows } from './memory-rows.ts'
import { MemoryWorkers } from './memory-workers.ts'
import type { StoreTimes } from '../session-store.ts'

/** All that a store in memory holds. */
export class MemoryTables {
  readonly times: StoreTimes
  readonly now: () => number
  readonly workers: MemoryWorkers
  readonly rows: MemoryRows
  readonly #gateways = new Map<string, number>()

  constructor(times: StoreTimes, now: () => number) {
    this.times = times
    this.now = now
    this.workers = new MemoryWorkers(times, now)
    this.rows = new MemoryRows(now)
  }

  renewGateway(id: string): 'renewed' | 'anew' {
    const wasAlive = this.isGatewayAlive(id)
    this.#gateways.set(id, this.now() + this.times.gatewayTtlMs)
    return wasAlive ? 'renewed' : 'anew'
  }

  removeGateway(id: string): void {
    this.#gateways.delete(id)
  }

  isGatewayAlive(id: string): boolean {
    return (this.#gateways.get(id) ?? 0) > this.now()
  }
}
