import { stopBy } from '../../machine/stop-time.ts'
import type { Keys } from './keys.ts'
import type { CommandHandler, NoteHandler, WorkerEvent, WorkerLink, WorkerNote } from '../link.ts'
import { decodeCommand, encodeEvent, formatEntryId, parseEntryId } from './link-message.ts'
import type { OpenMessage } from './inbox-message.ts'
import type { EntryId } from './link-message.ts'
import type { Log } from '../log.ts'
import { mailboxLimits } from './mailbox-writer.ts'
import { Outboxes } from './outboxes.ts'
import type { RedisConnections } from './redis-connections.ts'
import { StreamReader } from './stream-reader.ts'
import type { StreamEntry } from './stream-reader.ts'
import { StreamTrimmer } from './stream-trimmer.ts'
import { tellWorker } from './tell-worker.ts'
import { TurnWorker } from './turn-worker.ts'
import { WorkerInbox } from './worker-inbox.ts'

interface RedisWorkerLinkOptions {
  redis: RedisConnections
  keys: Keys
  log: Log
  times?: Partial<LinkTimes>
  /** So many streams are named in every read. */
  fewStreams?: number
}

export interface LinkTimes {
  /** How long a turn waits for the next frame before it ends. A stream of at least one frame per linger stays in one. */
  lingerMs: number
  /** How often turns are looked at. */
  tickMs: number
  /** Life of both streams of a session, renewed three times within it. */
  streamTtlMs: number
}

const linkTimes: LinkTimes = { lingerMs: 4000, tickMs: 100, streamTtlMs: mailboxLimits.ttlMs }
/** How often what a worker shares with all of its gateways is prolonged, and swept. */
const renewSharedMs = 2000
/** What is kept for BullMQ when the link is closed. */
const turnsMs = 1000

interface LinkedSession {
  id: string
  mailbox: string
  /** Last command taken, null before the first. */
  taken: EntryId | null
  trimmer: StreamTrimmer
  turn: Turn | null
  /** Ends the turn that was announced while Redis had ended the last one and we did not know yet. */
  announced: (() => void) | null
  /** Over on this worker; forgotten when nothing is left to be read. */
  isOver: boolean
}

interface Turn {
  end: () => void
  lastEntryAtMs: number
  isEnding: boolean
}

/** The worker's end of the link over Redis: a turn drains a mailbox and lingers, outboxes carry the events back. */
export class RedisWorkerLink implements WorkerLink {
  readonly #options: RedisWorkerLinkOptions
  readonly #times: LinkTimes
  readonly #sessions = new Map<string, LinkedSession>()
  readonly #outboxes: Outboxes
  readonly #tickTimer: NodeJS.Timeout
  #renewedAtMs = performance.now()
  #sharedRenewedAtMs = -Infinity
  #reader: StreamReader | null = null
  #inbox: WorkerInbox | null = null
  /** Null before it listens. */
  turns: TurnWorker | null = null
  /** Of whose link this is; it has no sessions before it listens. */
  #workerId = ''
  #onCommand: CommandHandler = () => {}
  #closed: Promise<void> | null = null

  constructor(options: RedisWorkerLinkOptions) {
    this.#options = options
    this.#times = { ...linkTimes, ...options.times }
    this.#outboxes = new Outboxes({
      ...{ redis: options.redis, keys: options.keys, ttlMs: this.#times.streamTtlMs },
      workerId: () => this.#workerId,
      onUseless: (sessionId, token) => this.#hangUp(sessionId, token)
    })
    this.#tickTimer = setInterval(() => this.#tick(), this.#times.tickMs)
  }

  async listen(workerId: string, onCommand: CommandHandler, onNote: NoteHandler): Promise<void> {
    this.#onCommand = onCommand
    this.#workerId = workerId
    const { fewStreams: few, keys, log, redis } = this.#options
    const reader = new StreamReader({ redis, log, bell: keys.bell(workerId), few })
    this.#reader = reader
    const run = (sessionId: string): Promise<void> => this.#runTurn(sessionId)
    this.turns = new TurnWorker({ ...this.#options, workerId, run })
    await this.turns.ready()
    const onOpen = (message: OpenMessage): void => this.#takeOpen(message)
    const hear = (note: WorkerNote): void => {
      if (note.type === 'moveIn') this.#expect(this.#session(note.moving.sessionId))
      onNote(note)
    }
    this.#inbox = new WorkerInbox({ ...this.#options, workerId, reader, onOpen, onNote: hear })
  }

  tell(workerId: string, note: WorkerNote): Promise<void> {
    return tellWorker(this.#options, workerId, note)
  }

  emit(sessionId: string, token: number, event: WorkerEvent): void {
    const session = this.#session(sessionId)
    const consumed = session.taken?.token === token ? session.taken.number : 0
    this.#outboxes.push(sessionId, token, encodeEvent(event, consumed))
    if (event.type === 'opened') this.#expect(session)
  }

  hush(sessionId: string, token: number): void {
    this.#outboxes.discard(sessionId, token)
  }

  /** Whatever lies in the mailbox still is read: who has sent it waits for an answer. */
  release(sessionId: string): void {
    const session = this.#sessions.get(sessionId)
    if (!session) return
    session.isOver = true
    this.#outboxes.finish(sessionId)
    if (!session.turn) this.#sessions.delete(sessionId)
    else if (!session.turn.isEnding) this.#endTurn(session, session.turn)
  }

  close(untilMs = stopBy()): Promise<void> {
    this.#closed ??= this.#close(untilMs)
    return this.#closed
  }

  async #close(untilMs: number): Promise<void> {
    for (const session of [...this.#sessions.values()]) this.#drop(session)
    await this.#lastWordsSent(untilMs - turnsMs)
    clearInterval(this.#tickTimer)
    await this.#reader?.close()
    await this.#inbox?.close()
    await this.turns?.close(untilMs)
  }

  /** Until Redis has every event, or can be reached no more; not for ever. */
  async #lastWordsSent(untilMs: number): Promise<void> {
    while (this.#options.redis.isUp && performance.now() < untilMs) {
      if (this.#outboxes.isSaid) return
      await new Promise((resolve) => setTimeout(resolve, this.#times.tickMs))
    }
  }

  #drop(session: LinkedSession): void {
    this.#sessions.delete(session.id)
    this.#outboxes.finish(session.id)
    this.#reader?.remove(session.mailbox)
    this.#options.redis.frames.unlink(session.mailbox).catch(() => {})
    session.turn?.end()
    session.announced?.()
  }

  #session(id: string): LinkedSession {
    const known = this.#sessions.get(id)
    if (known) return known
    const mailbox = this.#options.keys.mailbox(id, this.#workerId)
    const session: LinkedSession = {
      ...{ id, mailbox, taken: null, turn: null, announced: null, isOver: false },
      trimmer: new StreamTrimmer(this.#options.redis, mailbox)
    }
    this.#sessions.set(id, session)
    return session
  }

  #runTurn(sessionId: string): Promise<void> {
    if (this.#closed) return Promise.resolve()
    const session = this.#session(sessionId)
    return new Promise((resolve) => {
      if (!session.turn) return this.#beginTurn(session, resolve)
      session.announced?.()
      session.announced = resolve
    })
  }

  /** Something comes for it soon: that is read at once, and its turn follows. One that was here before may only now be over. */
  #expect(session: LinkedSession): void {
    session.isOver = false
    if (!session.turn) this.#beginTurn(session, () => {})
  }

  #beginTurn(session: LinkedSession, end: () => void): void {
    session.turn = { end, lastEntryAtMs: performance.now(), isEnding: false }
    this.#reader?.add(session.mailbox, {
      after: session.taken ? formatEntryId(session.taken) : '0-0',
      onEntry: (entry) => this.#take(session, entry)
    })
  }

  /** What follows lies in the session's mailbox, counted from one. */
  #takeOpen({ sessionId, token, command, bell }: OpenMessage): void {
    const session = this.#session(sessionId)
    // Sent again because nothing had come of it yet.
    if (session.taken?.token === token && !session.isOver) return
    if (!session.taken || session.taken.token < token) session.taken = { token, number: 0 }
    session.isOver = false
    this.#outboxes.holder(sessionId, token, bell)
    this.#onCommand(sessionId, token, command)
  }

  #take(session: LinkedSession, entry: StreamEntry): void {
    const id = parseEntryId(entry.id)
    const { taken } = session
    // Of a gateway that has the session no more, and appended to a mailbox that was made anew since.
    if (taken && id.token < taken.token) return
    const wanted = id.token === taken?.token ? taken.number + 1 : 1
    if (taken && id.number !== wanted) return this.#lose(session, id)
    session.taken = id
    if (session.turn) session.turn.lastEntryAtMs = performance.now()
    session.trimmer.read(id, entry.body.byteLength)
    const { bell, command, heard } = this.#decode(session, entry)
    if (bell !== null) this.#outboxes.holder(session.id, id.token, bell)
    this.#outboxes.heard(session.id, id.token, heard)
    this.#onCommand(session.id, id.token, command)
  }

  /** What cannot be read cannot be answered either: the session ends. */
  #decode(session: LinkedSession, entry: StreamEntry): ReturnType<typeof decodeCommand> {
    try {
      return decodeCommand(entry)
    } catch (error) {
      this.#options.log.error({ err: error, sessionId: session.id }, 'a message that cannot be read')
      return { command: { type: 'close' }, heard: 0, bell: null }
    }
  }

  /** Frames ran out of their time in Redis: this session can keep no promise any more. */
  #lose(session: LinkedSession, { token, number }: EntryId): void {
    const detail = `Frames of the session were lost in Redis before message ${number}; open a new session`
    this.emit(session.id, token, { type: 'error', seq: null, code: 'STORE_UNAVAILABLE', detail })
    session.taken = { token, number }
    this.#onCommand(session.id, token, { type: 'close' })
  }

  #tick(): void {
    const now = performance.now()
    const renew = now - this.#renewedAtMs > this.#times.streamTtlMs / 3
    if (renew) this.#renewedAtMs = now
    if (now - this.#sharedRenewedAtMs > renewSharedMs) {
      this.#sharedRenewedAtMs = now
      this.#renewShared()
    }
    this.#outboxes.tick()
    if (renew) this.#outboxes.renew()
    for (const session of this.#sessions.values()) {
      const { turn } = session
      if (turn && renew) this.#renew(session)
      if (!turn || turn.isEnding) continue
      if (session.isOver || now - turn.lastEntryAtMs > this.#times.lingerMs) this.#endTurn(session, turn)
    }
  }

  #renewShared(): void {
    this.turns?.renew()
    this.#inbox?.expire(this.#times.streamTtlMs)
  }

  #renew({ mailbox }: LinkedSession): void {
    this.#options.redis.frames.pexpire(mailbox, this.#times.streamTtlMs).catch(() => {})
  }

  /** Its gateway does not hear what is said any more, and cannot be told so: it sees that in the row. */
  #hangUp(sessionId: string, token: number): void {
    this.#options.log.info({ sessionId }, 'nobody hears what is said of a session')
    this.#onCommand(sessionId, token, { type: 'detach' })
  }

  #endTurn(session: LinkedSession, turn: Turn): void {
    turn.isEnding = true
    const { token, number } = session.taken ?? { token: 0, number: 0 }
    const firstUnread = formatEntryId({ token, number: number + 1 })
    this.#options.redis.frameScripts.run('endTurn', [session.mailbox], [firstUnread]).then(
      (ended) => {
        turn.isEnding = false
        if (ended === 1 && session.turn === turn) this.#turnEnded(session, turn)
      },
      () => (turn.isEnding = false)
    )
  }

  #turnEnded(session: LinkedSession, turn: Turn): void {
    this.#reader?.remove(session.mailbox)
    session.turn = null
    turn.end()
    const { announced } = session
    session.announced = null
    if (announced) this.#beginTurn(session, announced)
    // A turn of a session that was never here, or is over.
    else if (session.isOver || !session.taken) this.#sessions.delete(session.id)
  }
}
