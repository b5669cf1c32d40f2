import { createHash } from 'node:crypto'
import { LeadlineError } from '../../src/errors.ts'
import { decodeMessage, encodeMessage, kinds } from '../../src/wire/frame.ts'
import type { Header, ValidFrame } from '../../src/wire/frame.ts'
import type { EngineEntry, FrameEngine, HaltedSession } from '../../src/frame-engine.ts'
import type {
  Continuity,
  EngineOffer,
  ModelOffer,
  OpenedSession,
  SessionContext,
  SessionEvent,
  StreamPosition,
  SessionOptions
} from '../../src/session.ts'
import { noPace } from '../../src/metering/engine-pace.ts'
import type { OutputChange, OutputOptions } from '../../src/wire/output.ts'
import { sessionOptions } from '../../src/session.ts'
import type { Account } from '../../src/metering/measures.ts'
import type { SessionTerms } from '../../src/sessions/session-store.ts'
import { chained, emptyDigest, payloadDigest, shortDigest } from '../../src/wire/state-digest.ts'

const sessionBytes = 100

export const hashModel: ModelOffer = {
  name: 'hash',
  title: 'A chain of hashes',
  license: 'Apache-2.0',
  nonCommercial: false,
  quantity: 'relative-inverse-depth',
  digest: 'd'.repeat(64),
  temporal: { modes: ['ovda', 'single'], cacheSizes: [8], defaultCacheSize: 8, attendSelf: false },
  resolution: { multiple: 14, lowerBound: 14, maxArea: 196 },
  sessionBytes: { ovda: sessionBytes, single: sessionBytes }
}

const openedSession: OpenedSession = {
  ...{ model: hashModel.name, modelDigest: hashModel.digest, mode: 'ovda', cacheSize: 8, epoch: 0 },
  ...{ continuity: null, maxInFlight: 64, bytes: sessionBytes, replay: { keepsFirst: false, recent: 21 } }
}

type Waiting =
  | { frame: ValidFrame }
  | { update: OutputChange }
  | { flush: string }
  | { reset: true }
  | { boundary: () => void }

interface HashSession {
  emit: (event: SessionEvent) => void
  tenant: string
  /** As it was opened with, or updated to. */
  output: OutputOptions
  chain: Buffer
  epoch: number
  /** Seen in the epoch. */
  frames: ValidFrame[]
  framesSeen: number
  digest: string
  /** Of the last outcome. */
  lastSeq: number
  /** What is still to be told of the past. */
  untold: Continuity | null
  isParked: boolean
  isHalted: boolean
  waiting: Waiting[]
}

/**
 * An engine without a network. A result's payload is the hash of everything its session has seen, so that a frame that
 * is lost, repeated, reordered or leaked into another session changes every result after it.
 */
export class HashEngine implements FrameEngine {
  readonly offer: EngineOffer
  readonly pace = noPace
  readonly sessions = new Map<string, HashSession>()
  readonly #keepsFrames: number
  /** While held, frames wait. */
  #held = false
  #scheduled = false

  /** `keepsFrames` is how many of the last frames a context has; a session that has seen more is rebuilt from them. */
  constructor(capacityBytes = 6400, { keepsFrames = Infinity } = {}) {
    this.offer = { models: [hashModel], capacityBytes, device: 'none' }
    this.#keepsFrames = keepsFrames
  }

  get parkedBytes(): number {
    return [...this.sessions.values()].filter(({ isParked }) => isParked).length * sessionBytes
  }

  async open(
    id: string,
    options: SessionOptions,
    emit: HashSession['emit'],
    { context, tenant = '' }: EngineEntry = {}
  ): Promise<OpenedSession> {
    if (options.mode === 'single')
      throw new LeadlineError('MODEL_MODE_UNSUPPORTED', 'this engine has no mode single')
    await Promise.resolve()
    const session: HashSession = { ...startOfSession(), emit, tenant, output: options.output }
    if (context) goOn(session, context)
    this.sessions.set(id, session)
    const { epoch, untold: continuity } = session
    return { ...openedSession, mode: options.mode, epoch, continuity }
  }

  submit(id: string, frame: ValidFrame): void {
    this.#wait(id, { frame })
  }

  flush(id: string, flush: string): void {
    this.#wait(id, { flush })
  }

  update(id: string, update: OutputChange): void {
    this.#wait(id, { update })
  }

  reset(id: string): void {
    this.#wait(id, { reset: true })
  }

  async context(id: string, { latents = false } = {}): Promise<SessionContext> {
    return this.#boundary(id, (session) => this.#contextOf(session, latents))
  }

  async halt(id: string): Promise<HaltedSession> {
    await Promise.resolve()
    const session = this.#known(id)
    session.isHalted = true
    const goOn = (): void => {
      session.isHalted = false
      this.#schedule()
    }
    return { context: this.#contextOf(session, true), goOn }
  }

  async whole(id: string): Promise<Continuity | null> {
    return this.#boundary(id, ({ untold }) => untold)
  }

  async park(id: string): Promise<number> {
    const session = this.sessions.get(id)
    if (!session) return 0
    if (session.isParked) return sessionBytes
    await this.#boundary(id, () => {})
    session.isParked = true
    session.untold ??= 'exact'
    return sessionBytes
  }

  position(id: string): StreamPosition | null {
    const session = this.sessions.get(id)
    return session ? positionOf(session) : null
  }

  async close(id: string): Promise<void> {
    const session = this.sessions.get(id)
    this.sessions.delete(id)
    for (const item of session?.waiting.splice(0) ?? []) {
      if ('frame' in item) session?.emit({ type: 'drop', seq: item.frame.header.seq, reason: 'closed' })
    }
  }

  hold(): void {
    this.#held = true
  }

  resume(): void {
    this.#held = false
    this.#schedule()
  }

  #known(id: string): HashSession {
    const session = this.sessions.get(id)
    if (!session) throw new LeadlineError('SESSION_UNKNOWN', `There is no session ${id}`)
    return session
  }

  #contextOf(session: HashSession, latents: boolean): SessionContext {
    const { epoch, framesSeen, digest, frames, chain, untold } = session
    return {
      // Of a past that was lost whole, and nobody was told.
      ...{ epoch, framesSeen: untold === 'new' ? null : framesSeen, digest, seam: null, notes: { untold } },
      frames: frames.slice(Math.max(0, frames.length - this.#keepsFrames)),
      latents: latents ? Uint8Array.from(chain) : null
    }
  }

  /** What is read between two frames, before the second. */
  async #boundary<T>(id: string, read: (session: HashSession) => T): Promise<T> {
    const session = this.#known(id)
    return new Promise((resolve) => this.#wait(id, { boundary: () => resolve(read(session)) }))
  }

  #wait(id: string, item: Waiting): void {
    this.sessions.get(id)?.waiting.push(item)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled || this.#held) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      if (this.#held) return
      for (const session of this.sessions.values()) {
        if (session.isHalted) continue
        for (const item of session.waiting.splice(0)) step(session, item)
      }
    })
  }
}

function startOfSession(): Omit<HashSession, 'emit' | 'output' | 'tenant'> {
  return {
    ...{ chain: Buffer.from('start'), epoch: 0, frames: [], framesSeen: 0, digest: emptyDigest },
    ...{ lastSeq: -1, untold: null, isParked: false, isHalted: false, waiting: [] }
  }
}

/** Exact only with everything that the session had seen, or with its chain itself. */
function goOn(session: HashSession, context: SessionContext): void {
  const { epoch, framesSeen, digest, frames, latents, notes } = context
  const before = (notes as { untold: Continuity | null } | null)?.untold ?? 'exact'
  session.epoch = epoch
  for (const frame of frames) see(session, frame)
  if (latents && framesSeen !== null && digest !== null) {
    Object.assign(session, { chain: Buffer.from(latents), framesSeen, digest, untold: before })
    return
  }
  const isAll = framesSeen === frames.length && (digest ?? session.digest) === session.digest
  session.untold = isAll ? before : frames.length > 0 ? 'rebuilt' : 'new'
  if (!isAll) session.epoch += 1
}

function see(session: HashSession, frame: ValidFrame): void {
  session.chain = link(session.chain, frame.payload)
  session.digest = chained(session.digest, frame.header.seq, payloadDigest(frame.payload))
  session.frames.push(frame)
  session.framesSeen += 1
}

function positionOf({ epoch, lastSeq, digest }: HashSession): StreamPosition {
  return { epoch, seq: lastSeq, digest: shortDigest(digest) }
}

function step(session: HashSession, item: Waiting): void {
  if ('flush' in item) {
    session.emit({ type: 'flushed', id: item.flush, ...positionOf(session) })
  } else if ('update' in item) {
    session.output = item.update.output
    session.emit({ type: 'updated', ...item.update })
  } else if ('boundary' in item) item.boundary()
  else if ('reset' in item) {
    const { epoch, emit, lastSeq, waiting, isParked } = session
    Object.assign(session, { ...startOfSession(), epoch: epoch + 1, emit, lastSeq, waiting, isParked })
    emit({ type: 'reset', seq: null, epoch: epoch + 1, reason: 'client' })
  } else {
    const { epoch, untold: continuity } = session
    session.isParked = false
    session.untold = null
    session.lastSeq = item.frame.header.seq
    see(session, item.frame)
    const header = { ...item.frame.header, kind: kinds.depth, codec: 'raw' as const, epoch }
    const { seq } = header
    if (continuity) session.emit({ type: 'recovered', seq, epoch, continuity })
    session.emit({ type: 'result', seq, message: encodeMessage(header, session.chain) })
  }
}

function link(chain: Uint8Array, payload: Uint8Array): Buffer {
  return createHash('sha256').update(chain).update(payload).digest()
}

/** The payloads that a session must give for these frames, seen from the start of an epoch. */
export function expectedChain(frames: readonly ValidFrame[]): string[] {
  let chain: Buffer = Buffer.from('start')
  return frames.map((frame) => (chain = link(chain, frame.payload)).toString('hex'))
}

/** The payload of a result, as hex. */
export function resultPayload(message: Uint8Array): string {
  return Buffer.from(decodeMessage(message).payload).toString('hex')
}

export function testFrame(seq: number, payload: Uint8Array): ValidFrame {
  const header: Header = {
    ...{ kind: kinds.frame, flags: 0, seq, timestampUs: 0, epoch: 0, codec: 'jpeg', dtype: 'u8' },
    ...{ width: 4, height: 4, scale: 1, offset: 0, rangeMin: 0, rangeMax: 0 },
    ...{ quantity: 'none', queueUs: 0, computeUs: 0 }
  }
  return decodeMessage(encodeMessage(header, payload))
}

export const hashOptions: SessionOptions = sessionOptions({ model: 'hash' }, 'hash')

export const hashAccount: Account = { owner: null, isClip: false }

/** Of a session that such an engine opened. */
export const hashTerms: SessionTerms = { options: hashOptions, opened: openedSession, offer: hashModel }
