import { LeadlineError } from '../../errors.ts'
import type { Tenant } from '../../metering/measures.ts'

/** What one stream has for its client that was not read. */
interface Held {
  bytes: number
  /** More waits behind what the socket has taken. */
  isStalled: boolean
  onExcess: (error: LeadlineError) => void
}

/** Of one stream, until it is closed. */
export interface Backlog {
  hold(bytes: number, isStalled: boolean): void
  /** Twice without harm. */
  close(): void
}

/**
 * Depth maps that wait for clients to read them, summed up for each key, or each address where no key is asked for. Of one that
 * has too many bytes of them the stream ends whose client left most unread.
 */
export class Backlogs {
  readonly #maxBytes: number
  readonly #held = new Map<Tenant, Set<Held>>()

  /** `maxBytes` 0: no limit. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Tenants that have a stream. For tests. */
  get size(): number {
    return this.#held.size
  }

  open(tenant: Tenant, onExcess: (error: LeadlineError) => void): Backlog {
    const held: Held = { bytes: 0, isStalled: false, onExcess }
    const all = this.#held.get(tenant) ?? new Set()
    this.#held.set(tenant, all.add(held))
    return {
      hold: (bytes, isStalled) => {
        if (!all.has(held)) return
        Object.assign(held, { bytes, isStalled })
        this.#check(all)
      },
      close: () => {
        all.delete(held)
        if (all.size === 0 && this.#held.get(tenant) === all) this.#held.delete(tenant)
      }
    }
  }

  /** A stream of which nothing waits is only slow: its one message may be as large as it likes. */
  #check(all: ReadonlySet<Held>): void {
    const bytes = [...all].reduce((sum, each) => sum + each.bytes, 0)
    if (this.#maxBytes === 0 || bytes <= this.#maxBytes) return
    const [most] = [...all].filter(({ isStalled }) => isStalled).sort((a, b) => b.bytes - a.bytes)
    const allowed = `${this.#maxBytes} bytes may wait unread for all streams of a key or an address together`
    most?.onExcess(new LeadlineError('SLOW_CONSUMER', `${bytes} bytes of depth were not read; ${allowed}`))
  }
}
