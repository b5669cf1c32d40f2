import type { Account, Meter } from '../../metering/measures.ts'
import type { SessionEvent } from '../../session.ts'
import type { KeptBytes } from './kept-outcomes.ts'
import type { Aside, OpenPast, SessionCommand } from '../link.ts'
import type { Log } from '../log.ts'
import { OwedOutcomes } from './owed-outcomes.ts'
import type { TakenOver } from './owed-outcomes.ts'
import { SessionUsage } from './session-usage.ts'
import type { Voice } from './voice.ts'

type OpenCommand = Extract<SessionCommand, { type: 'open' }>
type FrameCommand = Extract<SessionCommand, { type: 'frame' }>
/** What became of the past at a frame, or which epoch began with it. What a client asked for itself is asked for again. */
type PastWord = Extract<SessionEvent, { type: 'reset' | 'recovered' }> & { seq: number }

/** More than frames that a gateway may have heard no outcome of. */
const maxWords = 32

interface ConversationOptions {
  sessionId: string
  workerId: string
  voice: Voice
  /** @default nothing is counted */
  usage?: Meter
  /** What is kept for clients that come back, of all sessions of the worker. */
  keptBytes: KeptBytes
  log: Log
}

/** What a session is sent and what it answers: of one that outlives its gateway, as the worker has promised it. */
export class Conversation {
  readonly #options: ConversationOptions
  /** Of a session that outlives its gateway. */
  #owed: OwedOutcomes | null = null
  readonly #usage: SessionUsage
  /** Outcomes through this one were made elsewhere. */
  #madeElsewhere = -1
  /** Of a session that does not outlive its gateway, the last ones: the outcomes that they precede are not kept. */
  #words: PastWord[] = []
  /** Those of them that its gateway may not have heard: each is said again before what becomes of its frame here. */
  #unheard: PastWord[] = []

  constructor(options: ConversationOptions) {
    this.#options = options
    this.#usage = new SessionUsage(options)
  }

  get isResumable(): boolean {
    return this.#owed !== null
  }

  get account(): Account {
    return this.#usage.account
  }

  /** Whether whatever has no outcome is sent again to the next worker: its gateway has it, and lives as far as is known. */
  get isSentAgain(): boolean {
    return this.#owed === null || (this.#options.voice.isHeard && this.#owed.isOfHolder)
  }

  begin({ account, resumable, past }: Pick<OpenCommand, 'account' | 'resumable' | 'past'>): void {
    this.#usage.account = account
    const { keptBytes, voice } = this.#options
    if (resumable) this.#owed = new OwedOutcomes((event) => voice.say(event), keptBytes)
    if (!past) return
    if (this.#owed) this.#owed.restore(past)
    else this.#words = past.told.filter(isPastWord)
    this.#madeElsewhere = past.after
  }

  /** Whether the frame is to be run; one that is not has its outcome already, or gets it here. */
  accept({ frame, aside }: Pick<FrameCommand, 'frame' | 'aside'>): boolean {
    const isNew = this.#isNew(frame.header.seq, aside)
    if (isNew) this.#usage.accepted(frame)
    return isNew
  }

  #isNew(seq: number, aside: Aside | undefined): boolean {
    const { log, sessionId, voice } = this.#options
    if (aside) this.#owed?.aside(aside)
    this.#sayUnheard(seq)
    if (!this.#owed && seq <= this.#madeElsewhere) {
      const detail = 'Its outcome was lost with the worker that the session has left'
      voice.say({ type: 'error', seq, code: 'WORKER_LOST', detail })
      return false
    }
    if (this.#owed?.accept(seq) !== false) return true
    log.warn({ sessionId, seq }, 'a frame that came a second time was left out')
    return false
  }

  aside(aside: Aside): void {
    this.#owed?.aside(aside)
  }

  tell(event: SessionEvent): void {
    this.#usage.outcome(event)
    if (this.#owed) return this.#owed.push(event)
    if (isPastWord(event)) this.#words = [...this.#words, event].slice(-maxWords)
    this.#options.voice.say(event)
  }

  /** The session was moved here, and its gateway has come after it. */
  join({ afterSeq, settled }: Extract<SessionCommand, { type: 'join' }>): void {
    this.#options.voice.joined()
    this.#owed?.aside({ acked: null, settled })
    if (afterSeq === null) return
    for (const event of this.#owed?.after(afterSeq) ?? []) this.#options.voice.say(event)
    this.#unheard = this.#words.filter(({ seq }) => seq > afterSeq)
  }

  #sayUnheard(throughSeq: number): void {
    for (const word of this.#unheard) if (word.seq <= throughSeq) this.#options.voice.say(word)
    this.#unheard = this.#unheard.filter(({ seq }) => seq > throughSeq)
  }

  /** Null: what is to be told again is not kept. */
  takeOver(afterSeq: number): TakenOver | null {
    return this.#owed?.takeOver(afterSeq) ?? null
  }

  /** What the next worker goes on from; `lastSeq` has the last outcome that the engine made. */
  handOn(lastSeq: number): Pick<OpenPast, 'told' | 'after'> {
    return this.#owed?.handedOn ?? { told: this.#words, after: lastSeq }
  }

  /** It is open from now on. */
  opened(): void {
    this.#usage.begin()
  }

  /** To be called now and then. */
  tick(): void {
    this.#usage.tick()
  }

  /** The session is over here: nothing is kept. For good: nobody else goes on with it. */
  end(isForGood: boolean): void {
    this.#usage.end(isForGood)
    this.#owed?.end()
  }
}

function isPastWord(event: SessionEvent): event is PastWord {
  return (event.type === 'reset' || event.type === 'recovered') && event.seq !== null
}
