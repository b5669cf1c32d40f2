import type { SavedContext } from '../wire/context-bytes.ts'
import type { ErrorCode } from '../errors.ts'
import type { ValidFrame } from '../wire/frame.ts'
import type { OutputChange } from '../wire/output.ts'
import type { Continuity, ModelOffer, OpenedSession } from '../session.ts'
import type { SessionEvent, SessionOptions } from '../session.ts'
import type { ListWish, SessionRow, WorkerRow } from './session-store.ts'

/** The gateway's side of the sessions room: what the API may ask. */
export interface Sessions {
  /**
   * Place a session on a worker and open it there. Events come in seq order through `onEvent`, which must not throw.
   * Throws CONTEXT_INVALID, NO_WORKER, NO_CAPACITY, MODEL_UNKNOWN, MODEL_MODE_UNSUPPORTED, STORE_UNAVAILABLE, DRAINING, EXECUTOR_FAILED.
   */
  open(wish: OpenWish, onEvent: (event: SessionEvent) => void): Promise<SessionHandle>
  /**
   * Take a session over, from whichever gateway had it: that one hears SESSION_REPLACED. Events come through `onEvent` once
   * this has resolved: first what the client has not received, then what is new. Of `reset`, `recovered` and `flushed` one
   * may come a second time. Where its worker is lost another is looked for, and all that the client has no outcome of counts
   * as never accepted. Throws SESSION_UNKNOWN (never saying whether there is one), SESSION_REPLACED, WORKER_LOST,
   * STORE_UNAVAILABLE, DRAINING.
   */
  resume(wish: ResumeWish, onEvent: (event: SessionEvent) => void): Promise<ResumedSession>
  /** A page of the sessions that there are, whoever has them, in the order of their ids. Throws STORE_UNAVAILABLE. */
  list(wish: ListWish): Promise<SessionList>
  /**
   * End a session, whichever gateway has it: that one hears SESSION_ENDED within a second or so. Resolves when nobody can
   * take it over any more. `owner` null: whoever's it is. Throws SESSION_UNKNOWN, STORE_UNAVAILABLE.
   */
  end(id: string, owner: string | null): Promise<void>
  /** The workers that live, by id. Throws STORE_UNAVAILABLE. */
  workers(): Promise<ListedWorker[]>
  /**
   * Tell a worker to take no new sessions and to give those it has to others, for as long as that takes. Resolves when it
   * has been told. Throws WORKER_UNKNOWN, STORE_UNAVAILABLE.
   */
  drainWorker(id: string): Promise<void>
  /** Tell the workers to even their load out. Throws STORE_UNAVAILABLE. */
  rebalance(): Promise<void>
  /** What `rebalance` would do now, and why; nothing is done. Throws STORE_UNAVAILABLE. */
  rebalancePlan(): Promise<RebalancePlan>
  /** Every model that some live worker offers, by name. */
  models(): Promise<ModelOffer[]>
  /** Whether a session could be opened now, and if not, why. */
  readiness(model?: string): Promise<Readiness>
  close(): Promise<void>
}

export interface OpenWish extends SessionOptions {
  /** Whether the session outlives its gateway, to be resumed. @default false */
  resumable?: boolean
  /** The id of the key that it is opened with. @default none */
  owner?: string | null
  /** Where it is asked for, of whoever shows no key. @default not known */
  address?: string
  /** Whether it runs a clip, which is counted as one. @default false */
  isClip?: boolean
  /** What it goes on from. Only a worker with the very network takes it. */
  from?: SavedContext
}

export interface CheckpointWish {
  id: string
  /** The highest seq that was accepted before it; -1: none. */
  seq: number
  /** Latents are left out of what would be larger, and it fails if that is not enough. */
  maxBytes: number
}

export interface SessionList {
  sessions: ListedSession[]
  /** Of the next page; null if this is the last. */
  cursor: string | null
}

/** What may be told of a session to others than its owner. */
export type ListedSession = Pick<
  SessionRow,
  | ('id' | 'state' | 'model' | 'mode' | 'workerId' | 'deviceBytes')
  | ('epoch' | 'lastSeq' | 'createdAtMs' | 'touchedAtMs')
>

export interface ResumeWish extends ResumePosition {
  /** Whose it must be; null: whoever's it is. @default null */
  owner?: string | null
}

/** What may be told of a worker. */
export type ListedWorker = Pick<
  WorkerRow,
  'id' | 'draining' | 'sessions' | 'reservedBytes' | 'moved' | 'pace'
> & {
  device: string
  capacityBytes: number
}

/** A session that would move: its worker is fuller than the other one, and would still not be emptier afterwards. */
export interface PlannedMove {
  session: string
  model: string
  from: string
  to: string
  /** Of device memory, reserved. */
  bytes: number
  /** Of their device memory, 0 to 1, what is reserved before this move and after those before it. */
  fromShare: number
  toShare: number
}

export interface RebalancePlan {
  /** In the order in which they would move. */
  moves: PlannedMove[]
  /** As they are, and as they would be. */
  workers: (Pick<WorkerRow, 'id' | 'draining' | 'sessions'> & {
    sessionsAfter: number
    share: number
    shareAfter: number
  })[]
}

/** How far the client got: the last outcome that it received. Epoch and seq are taken as a pair. */
export interface ResumePosition {
  session: string
  /** The `resumeToken` that the client was given last. */
  token: string
  /** 0 before the first outcome. */
  epoch: number
  /** -1 before the first outcome. */
  seq: number
}

export interface SessionHandle {
  readonly id: string
  /** Secret of the session's owner. */
  readonly resumeToken: string
  /** How long the session outlives `detach`, in milliseconds; 0: not at all. */
  readonly graceMs: number
  readonly options: SessionOptions
  readonly opened: OpenedSession
  /** The model that the session runs, as its worker offers it. */
  readonly offer: ModelOffer
  /** Every seq, here and in `settle`, is above those before. */
  submit(frame: ValidFrame): void
  /** Whether a frame that is submitted now leaves for the worker at once. It may be submitted without; then it queues. */
  readonly hasRoom: boolean
  /** The outcome of a frame that is never submitted. It comes back as an event, in its place. */
  settle(outcome: DepthlessOutcome): void
  /** The client has every outcome through this one. */
  ack(seq: number): void
  /** A `flushed` event with this id follows the outcome of every frame submitted before. */
  flush(id: string): void
  reset(): void
  /** Of frames submitted from here on; an `updated` event with its id follows the outcomes of those before. */
  update(change: OutputChange): void
  /** What a session can go on from comes as a `checkpoint` event, or why not. Of several at once the last has an answer. */
  checkpoint(wish: CheckpointWish): void
  /** Leave the session for `graceMs`, to be resumed; no event follows. One that cannot be resumed is closed. */
  detach(): Promise<void>
  /** Frees the slot; frames without outcome are dropped with reason "closed" before this resolves. */
  close(): Promise<void>
}

export interface ResumedSession extends SessionHandle {
  readonly resumed: Resumed
  /** The servers have lost the past: what the client is to be asked for, before anything else is submitted. */
  readonly wanted?: WantedPast
}

/** The last frames of an epoch that had a depth map, blank ones left out: at most so many, and of so many bytes. */
export interface WantedPast {
  readonly frames: number
  readonly bytes: number
  /** What the client had of them, oldest first; perhaps none. Called once. */
  give(frames: readonly ValidFrame[]): void
}

export interface Resumed {
  /** exact: this very latent cache, nothing missed. Else what is at hand to make it of: `recovered` says what came of it. */
  continuity: Continuity
  /** The epoch that the session is in. */
  epoch: number
  /** Of what the latent cache had seen of this epoch at the outcome of `seq`, as messages carry it; null: not known. */
  digest: string | null
  /** Of the last outcome that was made; -1 before the first. */
  seq: number
  /** The highest seq that was accepted: the client's frames above it were lost on their way. */
  after: number
  /** Accepted, and their outcomes come yet, in this order. */
  unsettled: readonly number[]
}

/** What ends one frame. */
export type FrameOutcome =
  | Extract<SessionEvent, { type: 'result' | 'drop' }>
  | (Extract<SessionEvent, { type: 'error' }> & { seq: number })

/** What can be known of a frame without the network. */
export type DepthlessOutcome = Exclude<FrameOutcome, { type: 'result' }>

export function isFrameOutcome(event: SessionEvent): event is FrameOutcome {
  if (event.type === 'error') return event.seq !== null
  return event.type === 'result' || event.type === 'drop'
}

/** What is said of a session and not of its frames: to whoever hears it now, and to nobody again. */
export type SessionAside = Extract<
  SessionEvent,
  { type: 'notice' | 'parked' | 'checkpoint' | 'checkpointFailed' }
>

export function isAside(event: SessionEvent): event is SessionAside {
  return ['notice', 'parked', 'checkpoint', 'checkpointFailed'].includes(event.type)
}

/** What a gateway may lack to open a session of a model. */
export type GatewayLack = 'redis' | 'worker' | 'model' | 'draining'

/** `code` is DRAINING, NO_WORKER or STORE_UNAVAILABLE. */
export type Readiness =
  { ready: true } | { ready: false; code: ErrorCode; reason: string; missing: readonly GatewayLack[] }
