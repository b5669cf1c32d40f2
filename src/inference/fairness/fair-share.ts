import type { Tenant } from '../../metering/measures.ts'

/** Somebody who waits to be served. Plain data. */
export interface Claim {
  tenant: Tenant
  /** The turn since which its session waits, arrived or served last. Lower waits longer. */
  waitingSince: number
  /** What serving it is thought to take, in the unit of what is charged; 0: not known. */
  expectedCost: number
}

/**
 * Start-time fair queueing (Goyal et al., SIGCOMM 1996) between tenants, all of the same weight, and by turns between the
 * sessions of each: who opens more sessions shares the same among more. What a tenant leaves, the others get; who was away
 * is owed nothing, and comes before those who had more than their share meanwhile.
 */
export class FairShare {
  /** Where the one stood who was served last. Nobody stands before it. */
  #served = 0
  /** Where tenants stand who had more than that. */
  readonly #standings = new Map<Tenant, number>()

  /** Tenants that are remembered. For tests. */
  get size(): number {
    return this.#standings.size
  }

  /** All of them, who comes first in front. */
  order<C extends Claim>(claims: readonly C[]): C[] {
    const ahead = new Map<Tenant, number>()
    const placed = [...claims].sort((a, b) => a.waitingSince - b.waitingSince)
    return placed
      .map((claim) => {
        const at = ahead.get(claim.tenant) ?? this.#standing(claim.tenant)
        ahead.set(claim.tenant, at + claim.expectedCost)
        return { claim, at }
      })
      .sort((a, b) => a.at - b.at)
      .map(({ claim }) => claim)
  }

  /** Its turn has come. */
  serve(tenant: Tenant): void {
    this.#served = this.#standing(tenant)
    for (const [each, standing] of this.#standings) if (standing <= this.#served) this.#standings.delete(each)
  }

  /** What serving it took; also what it took more than was charged, or less. */
  charge(tenant: Tenant, cost: number): void {
    this.#standings.set(tenant, this.#standing(tenant) + cost)
  }

  #standing(tenant: Tenant): number {
    return Math.max(this.#served, this.#standings.get(tenant) ?? 0)
  }
}
