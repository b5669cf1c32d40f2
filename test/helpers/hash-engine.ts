import { createHash } from 'node:crypto'
import { LeadlineError } from '../../src/errors.ts'
import { decodeMessage, encodeMessage, kinds } from '../../src/frame.ts'
import type { Header, ValidFrame } from '../../src/frame.ts'
import type {
  EngineOffer,
  FrameEngine,
  ModelOffer,
  OpenedSession,
  SessionEvent,
  SessionOptions
} from '../../src/session.ts'
import { sessionOptions } from '../../src/session.ts'

export const hashModel: ModelOffer = {
  name: 'hash',
  title: 'A chain of hashes',
  license: 'Apache-2.0',
  nonCommercial: false,
  quantity: 'relative-inverse-depth',
  digest: 'd'.repeat(64),
  temporal: { modes: ['ovda', 'single'], cacheSizes: [8], defaultCacheSize: 8, attendSelf: false },
  resolution: { multiple: 14, lowerBound: 14, maxArea: 196 },
  sessionBytes: { ovda: 100, single: 100 }
}

interface HashSession {
  emit: (event: SessionEvent) => void
  chain: Buffer
  epoch: number
  waiting: ({ frame: ValidFrame } | { flush: string } | { reset: true })[]
}

/**
 * An engine without a network. A result's payload is the hash of everything its session has seen, so that a frame that
 * is lost, repeated, reordered or leaked into another session changes every result after it.
 */
export class HashEngine implements FrameEngine {
  readonly offer: EngineOffer
  readonly sessions = new Map<string, HashSession>()
  /** While held, frames wait. */
  #held = false
  #scheduled = false

  constructor(capacityBytes = 6400) {
    this.offer = { models: [hashModel], capacityBytes, device: 'none' }
  }

  async open(id: string, options: SessionOptions, emit: HashSession['emit']): Promise<OpenedSession> {
    if (options.mode === 'single')
      throw new LeadlineError('MODEL_MODE_UNSUPPORTED', 'this engine has no mode single')
    await Promise.resolve()
    this.sessions.set(id, { emit, chain: Buffer.from('start'), epoch: 0, waiting: [] })
    return {
      ...{ model: hashModel.name, modelDigest: hashModel.digest, mode: options.mode, cacheSize: 8 },
      ...{ epoch: 0, maxInFlight: 64, bytes: 100 }
    }
  }

  submit(id: string, frame: ValidFrame): void {
    this.#wait(id, { frame })
  }

  flush(id: string, flush: string): void {
    this.#wait(id, { flush })
  }

  reset(id: string): void {
    this.#wait(id, { reset: true })
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

  #wait(id: string, item: HashSession['waiting'][number]): void {
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
        for (const item of session.waiting.splice(0)) step(session, item)
      }
    })
  }
}

function step(session: HashSession, item: HashSession['waiting'][number]): void {
  if ('flush' in item) session.emit({ type: 'flushed', id: item.flush })
  else if ('reset' in item) {
    session.chain = Buffer.from('start')
    session.epoch += 1
    session.emit({ type: 'reset', seq: null, epoch: session.epoch, reason: 'client' })
  } else {
    session.chain = link(session.chain, item.frame.payload)
    const header = { ...item.frame.header, kind: kinds.depth, codec: 'raw' as const, epoch: session.epoch }
    session.emit({ type: 'result', seq: header.seq, message: encodeMessage(header, session.chain) })
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
