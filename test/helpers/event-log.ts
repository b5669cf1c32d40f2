import type { SessionEvent } from '../../src/session.ts'

/** Collects a session's events; `until` resolves when they satisfy a condition, however long that takes. */
export class EventLog {
  readonly events: SessionEvent[] = []
  #waiting: { met: () => boolean; resolve: () => void }[] = []

  readonly push = (event: SessionEvent): void => {
    this.events.push(event)
    const met = this.#waiting.filter((wait) => wait.met())
    this.#waiting = this.#waiting.filter((wait) => !met.includes(wait))
    for (const wait of met) wait.resolve()
  }

  async until(condition: (events: SessionEvent[]) => boolean): Promise<SessionEvent[]> {
    const met = (): boolean => condition(this.events)
    if (!met()) await new Promise<void>((resolve) => this.#waiting.push({ met, resolve }))
    return this.events
  }

  /** Resolves when the session itself has ended with an error. */
  ended(): Promise<SessionEvent[]> {
    return this.until((events) => events.some((event) => event.type === 'error' && event.seq === null))
  }

  results(): { seq: number; message: Uint8Array }[] {
    return this.events.filter((event) => event.type === 'result')
  }
}
