import type { ServiceClass, Tenant } from '../../metering/measures.ts'
import { FairShare } from './fair-share.ts'
import type { Claim } from './fair-share.ts'

/**
 * Turns of live sessions that pass a waiting clip over before it has one, and as many times what its own turn takes. So of
 * all turns beside busy live sessions fewer than one in twenty is a clip's, and of their time as little: what 95 of 100 live
 * frames see is theirs alone, and a clip goes on all the same.
 */
export const mostPassed = 20

/** A claim of a class. */
export interface ClassedClaim extends Claim {
  service: ServiceClass
}

/** Each class has shares of its own: a clip that had what nobody else wanted costs the cameras of its key nothing. */
export type ClassShares = Readonly<Record<ServiceClass, FairShare>>

export function classShares(): ClassShares {
  return { live: new FairShare(), clip: new FairShare() }
}

/**
 * Who comes first: live sessions before clips, tenants of either class by their shares. Never both at once: while a live
 * session waits no clip has a turn, be it that nobody takes the live one now, until clips have been passed over for long enough.
 */
export class LiveFirst {
  readonly #shares: ClassShares
  /** Live turns since the last one of a clip at which a clip waited, and what they were thought to take. */
  #passed = { turns: 0, cost: 0 }

  constructor(shares = classShares()) {
    this.#shares = shares
  }

  /** Those who may have the next turn, who comes first in front. */
  order<C extends ClassedClaim>(claims: readonly C[]): C[] {
    const [live, clips] = (['live', 'clip'] as const).map((service) =>
      this.#shares[service].order(claims.filter((claim) => claim.service === service))
    ) as [C[], C[]]
    if (live.length === 0) return clips
    const [first] = clips
    return first && this.#isDue(first) ? [...clips, ...live] : live
  }

  /** The turn of these has come, all of one class; `claims` are all who waited for it, perhaps these among them. */
  serve(served: readonly ClassedClaim[], claims: readonly ClassedClaim[]): void {
    const [first] = served
    if (!first) return
    this.#shares[first.service].serve(first.tenant)
    if (first.service === 'clip') this.#passed = { turns: 0, cost: 0 }
    else if (claims.some(({ service }) => service === 'clip')) {
      this.#passed.turns += 1
      this.#passed.cost += served.reduce((sum, { expectedCost }) => sum + expectedCost, 0)
    }
  }

  /** What serving it took; also what it took more than was charged, or less. */
  charge({ service, tenant }: { service: ServiceClass; tenant: Tenant }, cost: number): void {
    this.#shares[service].charge(tenant, cost)
  }

  #isDue({ expectedCost }: ClassedClaim): boolean {
    const { turns, cost } = this.#passed
    return turns >= mostPassed && cost >= mostPassed * expectedCost
  }
}
