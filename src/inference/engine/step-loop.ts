import type { Logger } from 'pino'
import { asLeadlineError } from '../../errors.ts'
import type { LeadlineError } from '../../errors.ts'
import type { EngineSession } from './engine-session.ts'
import type { Executor, ModelHandle, Plan, StepResult } from '../executor.ts'
import { CacheMover } from './cache-mover.ts'
import type { HeldLatents } from '../recovery/past.ts'
import type { ReadySlice } from './taken-slice.ts'
import { readyRow } from './runnable.ts'
import type { FrameRow, Runnable, SliceRow, SteppedSession } from './runnable.ts'
import { classShares, LiveFirst } from '../fairness/live-first.ts'
import { pickStep } from '../scheduling/scheduler.ts'
import { StepHold } from '../scheduling/step-hold.ts'
import { StepPace } from '../scheduling/step-pace.ts'
import type { ReadyFrame, SteppingFrame, StepTime } from './stepping-frame.ts'

/** What steps are noted in: rows and time of each. */
export interface StepMeter {
  stepped(rows: number, seconds: number): void
}

export interface StepLoopOptions {
  executor: Executor
  /** Models kept loaded that no session uses. */
  maxIdleModels: number
  /** The sessions that may step, by id; whoever owns the map adds and removes. */
  sessions: ReadonlyMap<string, SteppedSession>
  /** Called when a session cannot go on. */
  onFailure: (session: SteppedSession, failure: LeadlineError) => void
  meter?: StepMeter
  log: Logger
}

/**
 * One step after the other, for as long as some frame is ready, those of live sessions before those of clips. A slice of an
 * offline window is a step of its own: windows take turns with frames, which thereby wait no longer than for one another. A
 * session's state is made when its first frame is ready, and made anew when the size changes.
 */
export class StepLoop {
  readonly #options: StepLoopOptions
  readonly #caches: CacheMover
  readonly #pace: StepPace
  readonly #hold: StepHold
  /** Of the device, in milliseconds. */
  readonly #shares = classShares()
  readonly #turns = new LiveFirst(this.#shares)
  #turn = 0
  #stepping = false
  #degradation: string | null = null
  /** What the executor was last lost with. */
  #loss: LeadlineError | null = null
  #waking = false

  constructor(options: StepLoopOptions) {
    this.#options = options
    this.#caches = new CacheMover({ ...options, shares: this.#shares })
    this.#pace = new StepPace(options.executor.caps.maxBatch)
    const { sessions } = options
    this.#hold = new StepHold({ pace: this.#pace, sessions, onTime: () => this.#startStep() })
  }

  /** Why it runs worse than it could; null while all is well. */
  get degradation(): string | null {
    return this.#degradation
  }

  /** Load the plan's model now, and keep it though no session uses it. */
  async keepLoaded(plan: Plan): Promise<void> {
    await this.#caches.keepLoaded(plan)
  }

  /** Once there is no session. */
  close(): void {
    this.#caches.close()
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
  async vacate(session: SteppedSession): Promise<void> {
    this.#caches.giveUp(session)
    await session.occupied
    await this.#caches.release(session)
  }

  /**
   * The latent cache as bytes, from wherever it lies, between two steps. Null where there is none, or it cannot be had.
   */
  latentsOf(session: EngineSession): Promise<HeldLatents | null> {
    return this.#occupy(session, () => this.#caches.latentsOf(session))
  }

  /** Free what a session holds on the device between two steps; the cache as bytes if it is to be kept. */
  takeOut(session: EngineSession, { keepsLatents }: { keepsLatents: boolean }): Promise<HeldLatents | null> {
    return this.#occupy(session, async () => {
      const latents = keepsLatents ? await this.#caches.latentsOf(session) : null
      await this.#caches.release(session)
      return latents
    })
  }

  /** The executor lost every model and state. What runs is cut off, and sessions make their latent caches anew. */
  loseStates(failure: LeadlineError): void {
    this.#loss = failure
    this.#caches.loseAll()
    for (const session of [...this.#options.sessions.values()]) {
      const { location } = session
      if (!session.lose()) this.#options.onFailure(session, failure)
      location?.lease.release()
    }
    this.wake()
  }

  #startStep(): void {
    if (this.#stepping) return
    const runnable = this.#runnable()
    this.#hold.clear()
    const isHeld = (first: Runnable): boolean => this.#hold.holds(first, runnable)
    const picked = pickStep(runnable, { maxBatch: this.#pace.maxBatch, turns: this.#turns, isHeld })
    const [first] = picked
    if (!first) return
    this.#stepping = true
    this.#turns.serve(picked, runnable)
    const { model } = first.location.lease
    if (first.kind === 'slice') {
      first.session.occupied = this.#slice(model, first)
      return
    }
    const rows = picked.filter((row) => row.kind === 'frame')
    const done = this.#step(model, rows)
    for (const { session } of rows) session.occupied = done
  }

  #runnable(): Runnable[] {
    const runnable: Runnable[] = []
    for (const session of this.#options.sessions.values()) {
      if (session.occupied) continue
      const ready = readyRow(session)
      if (!ready) continue
      const { location, waitingSince, tenant, service, id: slot } = session
      const { planKey } = ready.front
      const company = session.probation.isOn ? `${planKey}/${slot}` : planKey
      if (location?.planKey === planKey)
        runnable.push({
          ...{ slot, tenant, service, planKey: company, waitingSince, location },
          ...{ expectedCost: this.#pace.rowMs(company), ...ready }
        })
      else session.occupied = this.#move(session, ready.front)
    }
    return runnable
  }

  async #slice(model: ModelHandle, row: SliceRow): Promise<void> {
    const startedMs = performance.now()
    const lossBefore = this.#loss
    const { session, front, location } = row
    session.waitingSince = ++this.#turn
    const taken = front.take()
    const { stage, slot, places, frame } = taken
    try {
      const slice = { state: location.state, stage, slot, places, frame }
      const result = await this.#options.executor.slice(model, slice)
      const computeMs = performance.now() - startedMs
      this.#ended([row], startedMs)
      if (this.#isOpen(session)) session.finish(taken, result?.depth ?? null, computeMs)
    } catch (error) {
      if (this.#loss !== lossBefore) session.takeBack(taken)
      this.#failed(session, error, lossBefore)
      this.#ended([row], startedMs)
    }
  }

  async #step(model: ModelHandle, rows: readonly FrameRow[]): Promise<void> {
    const startedMs = performance.now()
    const lossBefore = this.#loss
    const stepping = rows.map(({ session, front, location }) => {
      session.waitingSince = ++this.#turn
      const frame = front.take()
      return {
        session,
        frame,
        row: { state: location.state, framesSeen: frame.framesSeen, frame: frame.prepared.rgb }
      }
    })
    try {
      const results = await this.#options.executor.step(
        model,
        stepping.map(({ row }) => row)
      )
      const computeMs = performance.now() - startedMs
      this.#pace.measured(rows[0]!.planKey, rows.length, computeMs)
      this.#options.meter?.stepped(rows.length, computeMs / 1000)
      this.#ended(rows, startedMs)
      for (const [i, { session, frame }] of stepping.entries())
        this.#hand({ session, frame }, results[i], { computeMs, rows: rows.length })
    } catch (error) {
      const isTooLarge = asLeadlineError(error).code === 'MEMORY_EXHAUSTED' && rows.length > 1
      if (isTooLarge) this.#shrink(rows.length)
      if (isTooLarge || this.#loss !== lossBefore)
        for (const { session, frame } of stepping) session.takeBack(frame)
      if (!isTooLarge) for (const { session } of rows) this.#failed(session, error, lossBefore)
      this.#ended(rows, startedMs)
    }
  }

  /** The next step starts before the results of this one are encoded: the executor never waits for the encoder. */
  #ended(rows: readonly Runnable[], startedMs: number): void {
    const shareMs = (performance.now() - startedMs) / rows.length
    for (const row of rows) this.#turns.charge(row, this.#pace.ownMs(row.planKey, shareMs))
    this.#stepping = false
    for (const { session } of rows) session.occupied = null
    this.#startStep()
  }

  #hand(
    { session, frame }: { session: EngineSession; frame: SteppingFrame },
    result: StepResult | undefined,
    time: StepTime
  ): void {
    if (result && this.#isOpen(session)) session.finish(frame, result.depth, time)
  }

  /** Give the session a state of the plan its next frame needs, in exchange for the one it has. */
  async #move(session: SteppedSession, { plan, planKey }: ReadyFrame | ReadySlice): Promise<void> {
    const lossBefore = this.#loss
    try {
      await this.#caches.move(session, plan, planKey)
    } catch (error) {
      this.#failed(session, error, lossBefore)
    }
    session.occupied = null
    this.wake()
  }

  /** The device's memory does not hold so many rows: from now on fewer share a step. */
  #shrink(rows: number): void {
    this.#pace.shrink(rows)
    this.#degradation = `a step of ${rows} rows was out of memory; at most ${this.#pace.maxBatch} share one now`
    this.#options.log.error({ rows, maxBatch: this.#pace.maxBatch }, `degraded: ${this.#degradation}`)
  }

  /** What was cut off by a loss is begun again, unless the executor died of it for the second time. */
  #failed(session: SteppedSession, error: unknown, lossBefore: LeadlineError | null): void {
    const wasCutOff = this.#loss !== lossBefore
    const wasFatal = error === this.#loss
    if (wasCutOff && (!wasFatal || session.probation.survivesDeath())) return
    this.#options.onFailure(session, asLeadlineError(error))
  }

  /** The session steps and moves nothing meanwhile. `work` does not reject. */
  async #occupy<R>(session: EngineSession, work: () => Promise<R>): Promise<R> {
    await session.occupied
    const working = work()
    session.occupied = working.then(() => undefined)
    const result = await working
    session.occupied = null
    this.wake()
    return result
  }

  #isOpen(session: SteppedSession): boolean {
    return this.#options.sessions.get(session.id) === session
  }
}
