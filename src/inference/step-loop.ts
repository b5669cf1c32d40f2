import type { Logger } from 'pino'
import { asLeadlineError } from '../errors.ts'
import type { LeadlineError } from '../errors.ts'
import type { EngineSession, ReadyFrame, Residence, SteppingFrame } from './engine-session.ts'
import type { Executor, ModelHandle, Plan, StepResult } from './executor.ts'
import { ModelShelf } from './model-shelf.ts'
import { pickStep } from './scheduler.ts'
import type { Candidate } from './scheduler.ts'

export interface StepLoopOptions {
  executor: Executor
  /** Models kept loaded that no session uses. */
  maxIdleModels: number
  /** The sessions that may step, by id; whoever owns the map adds and removes. */
  sessions: ReadonlyMap<string, EngineSession>
  /** Called when a session cannot go on. */
  onFailure: (session: EngineSession, failure: LeadlineError) => void
  log: Logger
}

/** A session whose frame can enter the next step. */
interface Runnable extends Candidate {
  session: EngineSession
  front: ReadyFrame
  residence: Residence
}

/**
 * One step after the other, for as long as some frame is ready. Also moves latent caches: a session's state is made when
 * its first frame is ready, and made anew when the size changes.
 */
export class StepLoop {
  readonly #options: StepLoopOptions
  readonly #shelf: ModelShelf
  #turn = 0
  #stepping = false
  #waking = false

  constructor(options: StepLoopOptions) {
    this.#options = options
    this.#shelf = new ModelShelf(options.executor, options.maxIdleModels, options.log)
  }

  /** Start a step soon, if none runs and some frame is ready. Later, so that no listener runs inside another. */
  wake(): void {
    if (this.#waking) return
    this.#waking = true
    queueMicrotask(() => {
      this.#waking = false
      this.#startStep()
    })
  }

  /** Free what a session holds on the device, once its step or move has ended. */
  async vacate(session: EngineSession): Promise<void> {
    await session.occupied
    await this.#release(session)
  }

  /** The executor lost every model and state. Sessions that lost nothing by it get a new state with their next frame. */
  loseStates(failure: LeadlineError): void {
    this.#shelf.forgetAll()
    for (const session of [...this.#options.sessions.values()]) {
      session.residence = null
      if (session.remembers) this.#options.onFailure(session, failure)
    }
  }

  #startStep(): void {
    if (this.#stepping) return
    const rows = pickStep(this.#runnable(), this.#options.executor.caps.maxBatch)
    const model = rows[0]?.residence.lease.model
    if (model === undefined) return
    this.#stepping = true
    const done = this.#step(model, rows)
    for (const { session } of rows) session.occupied = done
  }

  #runnable(): Runnable[] {
    const runnable: Runnable[] = []
    for (const session of this.#options.sessions.values()) {
      const front = session.occupied ? null : session.front()
      if (!front) continue
      const { residence, waitingSince, id: slot } = session
      const { planKey } = front
      if (residence?.planKey === planKey)
        runnable.push({ slot, planKey, waitingSince, session, front, residence })
      else session.occupied = this.#move(session, front)
    }
    return runnable
  }

  async #step(model: ModelHandle, rows: readonly Runnable[]): Promise<void> {
    const startedMs = performance.now()
    const stepping = rows.map(({ session, front, residence }) => {
      session.waitingSince = ++this.#turn
      const frame = front.take()
      return {
        session,
        frame,
        row: { state: residence.state, framesSeen: frame.framesSeen, frame: frame.prepared.rgb }
      }
    })
    try {
      const results = await this.#options.executor.step(
        model,
        stepping.map(({ row }) => row)
      )
      const computeMs = performance.now() - startedMs
      this.#ended(rows)
      for (const [i, { session, frame }] of stepping.entries())
        this.#hand(session, frame, results[i], computeMs)
    } catch (error) {
      this.#ended(rows)
      for (const { session } of rows) this.#options.onFailure(session, asLeadlineError(error))
    }
  }

  /** The next step starts before the results of this one are encoded: the executor never waits for the encoder. */
  #ended(rows: readonly Runnable[]): void {
    this.#stepping = false
    for (const { session } of rows) session.occupied = null
    this.#startStep()
  }

  #hand(
    session: EngineSession,
    frame: SteppingFrame,
    result: StepResult | undefined,
    computeMs: number
  ): void {
    if (result && this.#isOpen(session)) session.finish(frame, result.depth, computeMs)
  }

  /** Give the session a state of the plan its next frame needs, in exchange for the one it has. */
  async #move(session: EngineSession, { plan, planKey }: ReadyFrame): Promise<void> {
    try {
      await this.#release(session)
      session.residence = { planKey, isNew: true, ...(await this.#newState(plan)) }
    } catch (error) {
      this.#options.onFailure(session, asLeadlineError(error))
    }
    session.occupied = null
    this.wake()
  }

  async #newState(plan: Plan): Promise<Pick<Residence, 'lease' | 'state'>> {
    const lease = await this.#shelf.acquire(plan)
    try {
      return { lease, state: await this.#options.executor.newState(lease.model) }
    } catch (error) {
      lease.release()
      throw error
    }
  }

  async #release(session: EngineSession): Promise<void> {
    const { residence } = session
    session.residence = null
    if (!residence) return
    try {
      await this.#options.executor.free(residence.state)
    } catch (error) {
      this.#options.log.warn({ err: error, session: session.id }, 'could not free a state')
    }
    residence.lease.release()
  }

  #isOpen(session: EngineSession): boolean {
    return this.#options.sessions.get(session.id) === session
  }
}
