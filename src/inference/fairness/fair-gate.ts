import type { ServiceClass, Tenant } from '../../metering/measures.ts'
import { LiveFirst } from './live-first.ts'
import type { ClassedClaim, ClassShares } from './live-first.ts'

/** Who wants something done. */
export interface Asker {
  tenant: Tenant
  session: string
  service: ServiceClass
}

/** Of those who run no session that others wait for: trials, benches. */
export const nobody: Asker = { tenant: '', session: '', service: 'live' }

interface Waiting extends ClassedClaim {
  session: string
  enter: () => void
}

/** Share of a new duration in the usual one. */
const newShare = 0.1
/** How many times the usual one may count: what holds a process up on a busy machine is nobody's. */
const mostOfUsual = 8

export interface FairGateOptions {
  /** Of one tenant at once. @default as many as there may be */
  maxEach?: number
  /** What the time inside counts in. @default shares of this gate alone */
  shares?: ClassShares
  /** As much of one stay counts at most. @default all of it */
  mostMs?: number
}

/**
 * Lets so many in at once. Of those who wait live sessions come before clips, and tenants by their shares of the time that is
 * spent inside.
 */
export class FairGate {
  readonly #max: number
  readonly #maxEach: number
  readonly #turns: LiveFirst
  readonly #mostMs: number
  /** In order of arrival. */
  #waiting: Waiting[] = []
  /** How many of each tenant. */
  readonly #inside = new Map<Tenant, number>()
  #numInside = 0
  #turn = 0
  #usualMs = 0

  constructor(max: number, options: FairGateOptions = {}) {
    const { maxEach = max, shares, mostMs = Infinity } = options
    this.#max = max
    this.#maxEach = maxEach
    this.#turns = new LiveFirst(shares)
    this.#mostMs = mostMs
  }

  /** Rejects with what `work` does, and with the signal's reason where that comes before its turn. */
  async run<R>(asker: Asker, work: () => Promise<R>, signal?: AbortSignal): Promise<R> {
    signal?.throwIfAborted()
    const { tenant } = asker
    const claim = { ...asker, waitingSince: ++this.#turn, expectedCost: 0 }
    if (this.#numInside < this.#max && this.#hasRoomFor(tenant)) this.#enter(claim)
    else await this.#wait(claim, signal)
    const beganMs = performance.now()
    // Until it is known what it takes: several of one tenant may be inside.
    const expectedMs = this.#usualMs
    this.#turns.charge(asker, expectedMs)
    try {
      // It may have come between the turn and now.
      signal?.throwIfAborted()
      return await work()
    } finally {
      const tookMs = Math.min(performance.now() - beganMs, this.#mostMs)
      const ownMs = this.#usualMs === 0 ? tookMs : Math.min(tookMs, mostOfUsual * this.#usualMs)
      this.#turns.charge(asker, ownMs - expectedMs)
      this.#usualMs = this.#usualMs === 0 ? ownMs : this.#usualMs + newShare * (ownMs - this.#usualMs)
      this.#leave(tenant)
      this.#next()
    }
  }

  #wait(claim: Omit<Waiting, 'enter'>, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.#waiting = this.#waiting.filter((each) => each !== waiting)
        reject(signal?.reason as Error)
      }
      const enter = (): void => {
        signal?.removeEventListener('abort', giveUp)
        resolve()
      }
      const waiting = { ...claim, enter }
      this.#waiting.push(waiting)
      signal?.addEventListener('abort', giveUp, { once: true })
    })
  }

  #hasRoomFor(tenant: Tenant): boolean {
    return (this.#inside.get(tenant) ?? 0) < this.#maxEach
  }

  #enter(claim: ClassedClaim): void {
    const { tenant } = claim
    this.#inside.set(tenant, (this.#inside.get(tenant) ?? 0) + 1)
    this.#numInside += 1
    this.#turns.serve([claim], this.#waiting)
  }

  #leave(tenant: Tenant): void {
    const left = (this.#inside.get(tenant) ?? 0) - 1
    if (left === 0) this.#inside.delete(tenant)
    else this.#inside.set(tenant, left)
    this.#numInside -= 1
  }

  /** One place has become free, so that one may come in: who waits beside a free place has as many inside as it may. */
  #next(): void {
    const [next] = this.#turns.order(this.#firsts().filter(({ tenant }) => this.#hasRoomFor(tenant)))
    if (next === undefined) return
    this.#waiting = this.#waiting.filter((each) => each !== next)
    const after = this.#waiting.find(({ session }) => session === next.session)
    if (after !== undefined) after.waitingSince = ++this.#turn
    this.#enter(next)
    next.enter()
  }

  /** Of each session the one that came first. */
  #firsts(): Waiting[] {
    const firsts = new Map<string, Waiting>()
    for (const each of this.#waiting) if (!firsts.has(each.session)) firsts.set(each.session, each)
    return [...firsts.values()]
  }
}
