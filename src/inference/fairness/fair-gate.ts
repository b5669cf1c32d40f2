import type { Tenant } from '../../metering/measures.ts'
import { FairShare } from './fair-share.ts'
import type { Claim } from './fair-share.ts'

/** Who wants something done. */
export interface Asker {
  tenant: Tenant
  session: string
}

/** Of those who run no session that others wait for: trials, benches. */
export const nobody: Asker = { tenant: '', session: '' }

interface Waiting extends Claim {
  session: string
  enter: () => void
}

/** Share of a new duration in the usual one. */
const newShare = 0.1
/** How many times the usual one may count: what holds a process up on a busy machine is nobody's. */
const mostOfUsual = 8

/** Lets so many in at once. Of those who wait, tenants come in by their shares of the time that is spent inside. */
export class FairGate {
  readonly #max: number
  readonly #shares = new FairShare()
  /** In order of arrival. */
  #waiting: Waiting[] = []
  #inside = 0
  #turn = 0
  #usualMs = 0

  constructor(max: number) {
    this.#max = max
  }

  /** Rejects with what `work` does. */
  async run<R>({ tenant, session }: Asker, work: () => Promise<R>): Promise<R> {
    if (this.#inside >= this.#max) await this.#wait(tenant, session)
    else this.#enter(tenant)
    const beganMs = performance.now()
    // Until it is known what it takes: several of one tenant may be inside.
    const expectedMs = this.#usualMs
    this.#shares.charge(tenant, expectedMs)
    try {
      return await work()
    } finally {
      const tookMs = performance.now() - beganMs
      const ownMs = this.#usualMs === 0 ? tookMs : Math.min(tookMs, mostOfUsual * this.#usualMs)
      this.#shares.charge(tenant, ownMs - expectedMs)
      this.#usualMs = this.#usualMs === 0 ? ownMs : this.#usualMs + newShare * (ownMs - this.#usualMs)
      this.#inside -= 1
      this.#next()
    }
  }

  #wait(tenant: Tenant, session: string): Promise<void> {
    return new Promise((enter) => {
      this.#waiting.push({ tenant, session, waitingSince: ++this.#turn, expectedCost: 0, enter })
    })
  }

  #enter(tenant: Tenant): void {
    this.#inside += 1
    this.#shares.serve(tenant)
  }

  #next(): void {
    const [next] = this.#shares.order(this.#firsts())
    if (next === undefined) return
    this.#waiting = this.#waiting.filter((each) => each !== next)
    const after = this.#waiting.find(({ session }) => session === next.session)
    if (after !== undefined) after.waitingSince = ++this.#turn
    this.#enter(next.tenant)
    next.enter()
  }

  /** Of each session the one that came first. */
  #firsts(): Waiting[] {
    const firsts = new Map<string, Waiting>()
    for (const each of this.#waiting) if (!firsts.has(each.session)) firsts.set(each.session, each)
    return [...firsts.values()]
  }
}
