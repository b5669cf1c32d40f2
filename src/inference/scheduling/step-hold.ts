import type { ServiceClass } from '../../metering/measures.ts'
import type { Rhythm } from './batch-wait.ts'
import { mayShareStep } from './scheduler.ts'
import type { StepPace } from './step-pace.ts'

/** A session as far as company is concerned. */
export interface Companion {
  readonly service: ServiceClass
  readonly location: { planKey: string } | null
  /** When its frames are ready; null where nothing is known. */
  readonly rhythm: Rhythm | null
}

/** What could be stepped now; a slice waits for nobody. */
export interface Holdable {
  kind: 'frame' | 'slice'
  planKey: string
  service: ServiceClass
  session: Companion
}

export interface StepHoldOptions {
  pace: StepPace
  /** The sessions whose frames may come. */
  sessions: ReadonlyMap<string, Companion>
  /** Called when a step was held for long enough. */
  onTime: () => void
}

/** Holds a step back while rows that would join it are about to come. */
export class StepHold {
  readonly #options: StepHoldOptions
  readonly #timers = new Set<NodeJS.Timeout>()

  constructor(options: StepHoldOptions) {
    this.#options = options
  }

  /** Nothing is held any more, until it is asked for again. */
  clear(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
  }

  /** Whether the step of `first` waits for more rows; then `onTime` is called in time. */
  holds(first: Holdable, runnable: readonly Holdable[]): boolean {
    const { pace, sessions, onTime } = this.#options
    const alike = runnable.filter((each) => mayShareStep(each, first))
    if (first.kind === 'slice' || !pace.mayHold(alike.length)) return false
    const ready = new Set(alike.map(({ session }) => session))
    const coming = [...sessions.values()].filter(
      (session) =>
        session.location?.planKey === first.planKey &&
        session.service === first.service &&
        !ready.has(session)
    )
    const { planKey, service } = first
    const group = { planKey, service, ready: rhythmsOf([...ready]), coming: rhythmsOf(coming) }
    const waitMs = pace.hold(group, performance.now())
    if (waitMs > 0) this.#timers.add(setTimeout(onTime, waitMs))
    return waitMs > 0
  }
}

function rhythmsOf(sessions: readonly Companion[]): (Rhythm | null)[] {
  return sessions.map(({ rhythm }) => rhythm)
}
