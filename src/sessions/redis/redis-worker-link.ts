import { stopBy } from '../../stop-time.ts'
import type { Keys } from './keys.ts'
import type { CommandHandler, SessionCommand, WorkerEvent, WorkerLink } from '../link.ts'
import { decodeCommand, encodeEvent, formatEntryId, parseEntryId } from './link-message.ts'
import type { EntryId, OpenMessage } from './link-message.ts'
import type { Log } from '../log.ts'
import { mailboxLimits } from './mailbox-writer.ts'
import { Outbox } from './outbox.ts'
import type { RedisConnections } from './redis-connections.ts'
import { patienceMs } from '../session-store.ts'
import { StreamReader } from './stream-reader.ts'
import type { StreamEntry } from './stream-reader.ts'
import { StreamTrimmer } from './stream-trimmer.ts'
import { TurnWorker } from './turns.ts'
import { WorkerInbox } from './worker-inbox.ts'

interface RedisWorkerLinkOptions {
  redis: RedisConnections
  keys: Keys
  log: Log
  times?: Partial<LinkTimes>
}

export interface LinkTimes {
  /** How long a turn waits for the next frame before it ends. A stream of at least one frame per linger stays in one. */
  lingerMs: number
  /** How often turns are looked at. */
  tickMs: number
  /** Life of both streams of a session, renewed three times within it. */
  streamTtlMs: number
}

const linkTimes: LinkTimes = { lingerMs: 1000, tickMs: 100, streamTtlMs: mailboxLimits.ttlMs }
/** How long the last words to a gateway are tried to be sent, and then stay readable. */
const lastWordsMs = 10_000
/** BullMQ makes some of its keys anew with every turn, and gives them no life. */
const renewSharedMs = 2000
/** What is kept for BullMQ when the link is closed. */
const turnsMs = 1000

interface LinkedSession {
  id: string
  mailbox: string
  /** Last command taken, null before the first. */
  taken: EntryId | null
  trimmer: StreamTrimmer
  outbox: Outbox | null
  turn: Turn | null
  /** Ends the turn that was announced while Redis had ended the last one and we did not know yet. */
  announced: (() => void) | null
  hasHungUp: boolean
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
  readonly #reader: StreamReader
  readonly #sessions = new Map<string, LinkedSession>()
  /** Of sessions that are over, until Redis has their last events. */
  readonly #leaving = new Map<Outbox, { untilMs: number }>()
  readonly #tickTimer: NodeJS.Timeout
  #renewedAtMs = performance.now()
  #sharedRenewedAtMs = -Infinity
  #inbox: WorkerInbox | null = null
  #turns: TurnWorker | null = null
  #onCommand: CommandHandler = () => {}
  #closed: Promise<void> | null = null

  constructor(options: RedisWorkerLinkOptions) {
    this.#options = options
    this.#times = { ...linkTimes, ...options.times }
    this.#reader = new StreamReader(options.redis, options.keys, options.log)
    this.#tickTimer = setInterval(() => this.#tick(), this.#times.tickMs)
  }

  async listen(workerId: string, onCommand: CommandHandler): Promise<void> {
    this.#onCommand = onCommand
    const run = (sessionId: string): Promise<void> => this.#runTurn(sessionId)
    this.#turns = new TurnWorker({ ...this.#options, workerId, run })
    await this.#turns.ready()
    const onOpen = (message: OpenMessage): void => this.#takeOpen(message)
    this.#inbox = new WorkerInbox({ ...this.#options, workerId, reader: this.#reader, onOpen })
  }

  emit(sessionId: string, token: number, event: WorkerEvent): void {
    const session = this.#session(sessionId)
    if (session.outbox?.token !== token) {
      const outbound = this.#options.keys.outbound(sessionId)
      session.outbox = new Outbox(this.#options.redis, outbound, { token, ttlMs: this.#times.streamTtlMs })
    }
    session.outbox.push(encodeEvent(event, session.taken?.token === token ? session.taken.number : 0))
    // The first frame comes soon: it is read at once, and its turn follows.
    if (event.type === 'opened' && !session.turn) this.#beginTurn(session, () => {})
  }

  release(sessionId: string): void {
    const session = this.#sessions.get(sessionId)
    if (!session) return
    this.#sessions.delete(sessionId)
    this.#reader.remove(session.mailbox)
    this.#options.redis.frames.unlink(session.mailbox).catch(() => {})
    session.turn?.end()
    session.announced?.()
    if (session.outbox) this.#leaving.set(session.outbox, { untilMs: performance.now() + lastWordsMs })
    this.#sweepLeaving()
  }

  close(untilMs = stopBy()): Promise<void> {
    this.#closed ??= this.#close(untilMs)
    return this.#closed
  }

  async #close(untilMs: number): Promise<void> {
    for (const id of [...this.#sessions.keys()]) this.release(id)
    await this.#lastWordsSent(untilMs - turnsMs)
    clearInterval(this.#tickTimer)
    await this.#reader.close()
    await this.#inbox?.close()
    await this.#turns?.close(untilMs)
  }

  /** Until Redis has every event, or can be reached no more; not for ever. */
  async #lastWordsSent(untilMs: number): Promise<void> {
    while (this.#options.redis.isUp && performance.now() < untilMs) {
      if ([...this.#leaving.keys()].every((outbox) => outbox.isEmpty)) return
      await new Promise((resolve) => setTimeout(resolve, this.#times.tickMs))
    }
  }

  #session(id: string): LinkedSession {
    const known = this.#sessions.get(id)
    if (known) return known
    const mailbox = this.#options.keys.mailbox(id)
    const session: LinkedSession = {
      ...{ id, mailbox, taken: null, outbox: null, turn: null, announced: null, hasHungUp: false },
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

  #beginTurn(session: LinkedSession, end: () => void): void {
    session.turn = { end, lastEntryAtMs: performance.now(), isEnding: false }
    this.#reader.add(session.mailbox, {
      after: session.taken ? formatEntryId(session.taken) : '0-0',
      onEntry: (entry) => this.#take(session, entry)
    })
  }

  /** What follows lies in the session's mailbox, counted from one. */
  #takeOpen({ sessionId, token, command }: OpenMessage): void {
    this.#session(sessionId).taken ??= { token, number: 0 }
    this.#onCommand(sessionId, token, command)
  }

  #take(session: LinkedSession, entry: StreamEntry): void {
    const id = parseEntryId(entry.id)
    const { taken } = session
    if (taken && id.token === taken.token && id.number !== taken.number + 1) return this.#lose(session, id)
    session.taken = id
    if (session.turn) session.turn.lastEntryAtMs = performance.now()
    session.trimmer.read(id, entry.body.byteLength)
    this.#onCommand(session.id, id.token, this.#decode(session, entry))
  }

  /** What cannot be read cannot be answered either: the session ends. */
  #decode(session: LinkedSession, entry: StreamEntry): SessionCommand {
    try {
      return decodeCommand(entry)
    } catch (error) {
      this.#options.log.error({ err: error, sessionId: session.id }, 'a message that cannot be read')
      return { type: 'close' }
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
    for (const session of this.#sessions.values()) {
      session.outbox?.resend()
      if (session.outbox && !session.hasHungUp && isUseless(session.outbox))
        this.#hangUp(session, session.outbox)
      if (renew) this.#renew(session)
      const { turn } = session
      if (turn && !turn.isEnding && now - turn.lastEntryAtMs > this.#times.lingerMs)
        this.#endTurn(session, turn)
    }
    this.#sweepLeaving()
  }

  #renewShared(): void {
    this.#turns?.renew()
    this.#inbox?.expire(this.#times.streamTtlMs)
  }

  #renew(session: LinkedSession): void {
    session.outbox?.expire(this.#times.streamTtlMs)
    if (session.turn)
      this.#options.redis.frames.pexpire(session.mailbox, this.#times.streamTtlMs).catch(() => {})
  }

  /** Its gateway does not hear what is said any more, and cannot be told so: it sees the row go. */
  #hangUp(session: LinkedSession, outbox: Outbox): void {
    session.hasHungUp = true
    this.#options.log.warn(
      { sessionId: session.id, unread: outbox.isUnread },
      'nobody can be told the outcomes'
    )
    this.#onCommand(session.id, outbox.token, { type: 'close' })
  }

  #sweepLeaving(): void {
    for (const [outbox, { untilMs }] of this.#leaving) {
      outbox.resend()
      // In the order they were sent, so this comes after the last words.
      outbox.expire(lastWordsMs)
      if (outbox.isEmpty || performance.now() > untilMs) this.#leaving.delete(outbox)
    }
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
    this.#reader.remove(session.mailbox)
    session.turn = null
    turn.end()
    const { announced } = session
    session.announced = null
    if (announced) this.#beginTurn(session, announced)
    // A turn of a session that was never here, or is over.
    else if (!session.taken && !session.outbox) this.#sessions.delete(session.id)
  }
}

function isUseless(outbox: Outbox): boolean {
  return outbox.isUnread || outbox.stuckMs > patienceMs
}
