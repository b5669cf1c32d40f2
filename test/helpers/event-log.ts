import type { SessionEvent } from '../../src/session.ts'
import { Received } from './received.ts'

/** The events of one session. */
export class EventLog extends Received<SessionEvent> {
  get events(): SessionEvent[] {
    return this.all
  }

  /** Resolves when the session itself has ended with an error. */
  ended(): Promise<readonly SessionEvent[]> {
    return this.until((events) => events.some((event) => event.type === 'error' && event.seq === null))
  }

  results(): { seq: number; message: Uint8Array }[] {
    return this.all.filter((event) => event.type === 'result')
  }
}
