import type { Continuity, Delivery, DropReason } from '../../src/session.ts'
import type { Depth, Line } from './picture.ts'
import type { FaultKind } from './plan.ts'

/** What happened to one session, in the order in which its client saw it. Times are of `performance.now()`. */
export type Entry = { atMs: number } & (
  | { type: 'opened'; epoch: number }
  | { type: 'sent'; seq: number }
  | {
      type: 'result'
      seq: number
      epoch: number
      /** foreign: of no frame of this session; null where nobody knows it */ depth: Depth | 'foreign' | null
    }
  | { type: 'drop'; seq: number; reason: DropReason }
  | { type: 'error'; seq: number; code: string }
  | { type: 'reset'; epoch: number }
  | {
      type: 'recovered'
      seq: number
      epoch: number
      continuity: Continuity
      /** undefined: the client is not told */ alignment?: Line | undefined
    }
  | { type: 'flushed'; digest?: { epoch: number; hex: string } }
  /** Its client sends no more, and has asked for the end. A session that is resumed after that goes on. */
  | { type: 'closing' }
  /** A socket has ended, and the session may go on with another. */
  | { type: 'cut'; by: 'client' | 'server'; gateway: number; code: number; reason: string }
  /** The same, of a client that is not told how. */
  | { type: 'lost' }
  | {
      type: 'resumed'
      continuity: Continuity
      epoch: number
      /** highest seq that the servers have accepted, -1 for none */ after: number
      digest: string | null
    }
  /** The session is over: by `summary`, because its client went away for good, or by a failure. */
  | { type: 'ended'; how: 'summary' | 'abandoned' | 'failed'; code: string }
)

export interface SessionRecord {
  /** The client's own name for it, of which its pictures are made. */
  key: string
  /** The server's name. */
  id: string
  delivery: Delivery
  /** How long the servers keep it without a client; 0: not at all. */
  graceMs: number
  /** Whether its client is told of every new epoch before it begins, as one without a library between is. */
  hearsEpochs: boolean
  /** Whether the fake executor runs it, so that every depth map can be told. */
  isTold: boolean
  entries: Entry[]
}

/** A fault and how long it lasted, until whatever it hit was whole again. */
export interface FaultRecord {
  kind: FaultKind
  target: string
  fromMs: number
  toMs: number
}

/** A time in which a client did not read. */
export interface StuckRecord {
  key: string
  fromMs: number
  toMs: number
}

/** What a look at Redis and at the workers showed. */
export interface Look {
  atMs: number
  workers: WorkerLook[]
  /** As their rows say. */
  sessions: { id: string; state: string; bytes: number; workerId: string }[]
}

export interface WorkerLook {
  id: string
  capacityBytes: number
  /** When its row runs out, if it is not renewed. */
  leaseEndMs: number
  /** As its row counts. */
  reservedBytes: number
  /** Sessions that count as its own, and those that did a moment ago. */
  sessionIds: string[]
  /** As its engine counts; null where it could not be asked. */
  engine: { sessions: number; reservedBytes: number } | null
}

export interface RunRecord {
  seed: number
  sessions: SessionRecord[]
  faults: FaultRecord[]
  stuck: StuckRecord[]
  looks: Look[]
  /** Once nobody came or went any more, and once everybody had gone. */
  atRest: Look[]
  /** When the last fault was over and everything that it killed was back. */
  healedAtMs: number
  /** When every session was found to go on after that, or was no longer waited for. */
  restedAtMs: number
  /** When the clients began to end their sessions. */
  endedAtMs: number
  /** Frames that the servers count as used once all of it is over; null: no gateway could say. */
  usedFrames: number | null
  /** When all of it is over. */
  leftovers: { sessionKeys: string[]; immortal: string[] }
  /** A process that ended although nobody ended it, or not as it should have. */
  exits: string[]
}

export interface Breach {
  invariant: 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8' | 'I9' | 'usage'
  session: string
  seq: number | null
  what: string
}
