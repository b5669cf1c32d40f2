import { createHash } from 'node:crypto'
import { expect } from 'vitest'
import type { ValidFrame } from '../../src/wire/frame.ts'
import { decodeMessage } from '../../src/wire/frame.ts'
import type { Continuity, SessionEvent } from '../../src/session.ts'
import { isFrameOutcome } from '../../src/sessions/index.ts'

/**
 * What a client of the hash engine may hold its session to, whatever happens to workers: one outcome for each frame, in
 * order; a chain that goes on, or of which it was told in advance what became; and no epoch that was not told before.
 */
export class Witness {
  readonly #sent: ValidFrame[]
  /** What the chain was made of since it began, and its value: null where it is not known from what on. */
  #seen: ValidFrame[] = []
  #chain: Buffer = Buffer.from('start')
  #recovered: Continuity | null = null
  #epoch = 0
  readonly continuities: Continuity[] = []

  constructor(sent: ValidFrame[]) {
    this.#sent = sent
  }

  /** Throws where the events break a promise. */
  check(events: readonly SessionEvent[]): void {
    expect(events.filter(isFrameOutcome).map(({ seq }) => seq)).toEqual(
      this.#sent.map(({ header }) => header.seq)
    )
    for (const event of events) this.#take(event)
  }

  #take(event: SessionEvent): void {
    if (event.type === 'reset') {
      this.#begin()
      this.#epoch = event.epoch
    } else if (event.type === 'recovered') {
      if (event.continuity === 'exact')
        expect(event.epoch, `the epoch that goes on at ${event.seq}`).toBe(this.#epoch)
      this.#epoch = event.epoch
      this.continuities.push(event.continuity)
      this.#recovered = event.continuity
    } else if (event.type === 'result') this.#result(event.seq, event.message)
  }

  #result(seq: number, message: Uint8Array): void {
    const frame = this.#sent.find(({ header }) => header.seq === seq)
    expect(frame).toBeDefined()
    const { header, payload: bytes } = decodeMessage(message)
    const payload = Buffer.from(bytes)
    expect(header.epoch, `the epoch of ${seq}`).toBe(this.#epoch)
    if (this.#recovered === 'new') this.#begin()
    if (this.#recovered === 'rebuilt') this.#rebuild(frame!, payload)
    this.#recovered = null
    this.#chain = link(this.#chain, frame!)
    this.#seen.push(frame!)
    expect(payload.toString('hex'), `the chain at ${seq}`).toBe(this.#chain.toString('hex'))
  }

  #begin(): void {
    this.#seen = []
    this.#chain = Buffer.from('start')
  }

  /** From some of the last frames that were seen, and nothing else. */
  #rebuild(frame: ValidFrame, payload: Buffer): void {
    for (let from = 0; from < this.#seen.length; from++) {
      const kept = this.#seen.slice(from)
      const chain = kept.reduce<Buffer>(link, Buffer.from('start'))
      if (!link(chain, frame).equals(payload)) continue
      this.#seen = kept
      this.#chain = chain
      return
    }
    expect.fail(`the chain at ${frame.header.seq} was rebuilt from something else than its last frames`)
  }
}

function link(chain: Buffer, { payload }: ValidFrame): Buffer {
  return createHash('sha256').update(chain).update(payload).digest()
}
