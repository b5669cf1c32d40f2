import type { Entry, SessionRecord, StuckRecord } from './record.ts'

type WithoutTime<T> = T extends Entry ? Omit<T, 'atMs'> : never

/** One session as its client notes it. */
export class SessionLog {
  readonly record: SessionRecord

  constructor(session: Omit<SessionRecord, 'entries'>) {
    this.record = { ...session, entries: [] }
  }

  note(entry: WithoutTime<Entry>): void {
    this.record.entries.push({ ...entry, atMs: performance.now() } as Entry)
  }

  get isOver(): boolean {
    return this.record.entries.at(-1)?.type === 'ended'
  }
}

/** What all clients of a run share. */
export interface Crowd {
  /** Addresses of the gateways. */
  doors: readonly string[]
  sessions: SessionRecord[]
  stuck: StuckRecord[]
  /** Whether the servers know `resumable`. */
  canResume: boolean
  /** restless: clients come and go; steady: those that are there stay; ending: they end their sessions. */
  phase: 'restless' | 'steady' | 'ending'
  /** Resolves when `phase` becomes ending. */
  ending: Promise<void>
  /** Waits that never came to anything, for people. */
  refusals: Map<string, number>
}

export function noteRefusal({ refusals }: Crowd, code: string): void {
  refusals.set(code, (refusals.get(code) ?? 0) + 1)
}
