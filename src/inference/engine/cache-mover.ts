import type { Logger } from 'pino'
import type { Executor, Plan } from '../executor.ts'
import { FairGate, nobody } from '../fairness/fair-gate.ts'
import type { ClassShares } from '../fairness/live-first.ts'
import type { HeldLatents } from '../recovery/past.ts'
import type { EngineSession } from './engine-session.ts'
import { ModelCache } from './model-cache.ts'
import type { ModelLease } from './model-cache.ts'
import type { SteppedSession } from './runnable.ts'
import type { StateLocation } from './stepping-frame.ts'

export interface CacheMoverOptions {
  executor: Executor
  /** Models kept loaded that no session uses. */
  maxIdleModels: number
  /** Of the device, in milliseconds: what loads take counts in them as steps do. */
  shares: ClassShares
  log: Logger
}

/** As many networks are loaded at once; of a tenant one. */
const maxLoads = 2
/** As much of a load counts: where others keep the device busy, minutes of compiling would be minutes without a step. */
const mostLoadMs = 2000

/**
 * A network that nobody uses stays so long: its memory is wanted back, and the next who comes waits for a load again, which
 * takes minutes where a device compiles.
 */
function idleMs(loadMs: number): number {
  return Math.min(60 * Math.max(1000, loadMs), 3_600_000)
}

/** Gives sessions their states on the device, and takes them away. Nothing steps a session meanwhile. */
export class CacheMover {
  readonly #options: CacheMoverOptions
  readonly #models: ModelCache
  /** Sessions that are being given a state. */
  readonly #moving = new Map<SteppedSession, AbortController>()
  #numLosses = 0

  constructor(options: CacheMoverOptions) {
    const { executor, maxIdleModels: maxIdle, shares, log } = options
    const loads = new FairGate(maxLoads, { maxEach: 1, shares, mostMs: mostLoadMs })
    this.#options = options
    this.#models = new ModelCache({ executor, maxIdle, idleMs, loads, log })
  }

  /** Load the plan's model now, and keep it though no session uses it. */
  async keepLoaded(plan: Plan): Promise<void> {
    await this.#models.acquire(plan, nobody)
  }

  /** Once no session has a state. */
  close(): void {
    this.#models.close()
  }

  /** The executor lost every model and state. */
  loseAll(): void {
    this.#numLosses += 1
    this.#models.loseAll()
  }

  /** A state of the plan in exchange for the one that the session has: with the cache that the host holds for it, or new. */
  async move(session: SteppedSession, plan: Plan, planKey: string): Promise<void> {
    await this.release(session)
    const lease = await this.#lease(session, plan)
    try {
      const held = session.kind === 'frame' ? await this.#import(session, lease, planKey) : null
      const state = held ?? (await this.#options.executor.newState(lease.model))
      session.location = { planKey, lease, state, isNew: held === null }
    } catch (error) {
      lease.release()
      throw error
    }
  }

  /** It is over: a load of its own that has not begun never does. */
  giveUp(session: SteppedSession): void {
    this.#moving.get(session)?.abort()
  }

  /** Free what the session holds on the device. */
  async release(session: SteppedSession): Promise<void> {
    const { location } = session
    session.location = null
    if (!location) return
    try {
      await this.#options.executor.free(location.state)
    } catch (error) {
      this.#options.log.warn({ err: error, session: session.id }, 'could not free a state')
    }
    location.lease.release()
  }

  /** The latent cache as bytes, from wherever it lies. Null where there is none, or it cannot be had. */
  async latentsOf({ id, latents, location, remembers }: EngineSession): Promise<HeldLatents | null> {
    if (latents || !location || !remembers) return latents
    try {
      const bytes = await this.#options.executor.exportState(location.state)
      return { planKey: location.planKey, bytes }
    } catch (error) {
      this.#options.log.warn({ err: error, session: id }, 'a latent cache could not be read')
      return null
    }
  }

  async #lease(session: SteppedSession, plan: Plan): Promise<ModelLease> {
    const { tenant, service, id } = session
    const moving = new AbortController()
    this.#moving.set(session, moving)
    try {
      return await this.#models.acquire(plan, { tenant, service, session: id }, moving.signal)
    } finally {
      this.#moving.delete(session)
    }
  }

  /** Null where the host holds no cache of the plan, or one that the executor does not take. */
  async #import(
    session: EngineSession,
    { model }: ModelLease,
    planKey: string
  ): Promise<StateLocation['state'] | null> {
    const { latents } = session
    session.latents = null
    if (latents?.planKey !== planKey) return null
    const lossesBefore = this.#numLosses
    try {
      return await this.#options.executor.importState(model, latents.bytes)
    } catch (error) {
      // Lost on the way, it is still here.
      if (this.#numLosses !== lossesBefore) session.latents = latents
      if (this.#numLosses !== lossesBefore) throw error
      this.#options.log.warn({ err: error, session: session.id }, 'a latent cache is made anew')
      session.putAside(null)
      return null
    }
  }
}
