import { asLeadlineError, LeadlineError } from '../errors.ts'
import type { Log } from '../sessions/index.ts'
import type { AccessKey } from './access-key.ts'
import { anybody } from './caller.ts'
import type { Caller } from './caller.ts'
import { addressGroup } from './limits/address-group.ts'
import type { FlowExchange } from './limits/flow.ts'
import type { FrameFlow } from './limits/frame-flow.ts'
import { FrameLimits } from './limits/frame-limits.ts'
import type { RequestMeter, Standing } from './limits/request-meter.ts'
import type { KeyStore } from './key-store.ts'
import { Keyring, lookMs } from './keyring.ts'
import { allows } from './scopes.ts'
import type { Scope } from './scopes.ts'
import { hashTicket, newTicketValue, ticketMs } from './ticket.ts'
import type { TicketStore } from './ticket-store.ts'

export interface AccessOptions {
  keys: KeyStore
  tickets: TicketStore
  exchange: FlowExchange
  requests: RequestMeter
  /** Refusals that an address may have in a minute before it is told to wait. */
  refusalsPerMinute: number
  /** Whether everybody is let in until there is a key. */
  isOpenAtFirst: boolean
  log: Log
  /** Milliseconds since 1970. @default Date.now */
  now?: () => number
}

/** Who may use a gateway. Closes its store. */
export class Access {
  readonly #options: AccessOptions | null
  readonly #keyring: Keyring | null
  readonly #frames: FrameLimits | null
  #isOpen: boolean
  #timer: NodeJS.Timeout | null = null
  #looking: Promise<void> | null = null

  /** null: nobody is asked for a key. */
  constructor(options: AccessOptions | null) {
    this.#options = options
    this.#keyring = options && new Keyring({ now: Date.now, ...options, store: options.keys })
    this.#frames = options && new FrameLimits({ ...options, now: () => performance.now() })
    this.#isOpen = options?.isOpenAtFirst ?? true
  }

  /** Whether everybody is let in just now. Once there was a key it never is again. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Read which keys there are, and look again every second. Throws what reading the store throws. */
  async start(): Promise<void> {
    await this.#lookForKeys()
    if (this.#keyring !== null) this.#timer = setInterval(() => this.#look(), lookMs)
  }

  /**
   * Who shows this value, null where none was shown. Throws UNAUTHENTICATED, STORE_UNAVAILABLE, STORAGE_UNUSABLE.
   */
  async identify(value: string | null): Promise<Caller> {
    if (this.#options === null || (this.#isOpen && value === null)) return anybody
    if (value === null) throw new LeadlineError('UNAUTHENTICATED', `This needs a key; ${howToShow}`)
    const key = await this.#read((keyring) => keyring.find(value))
    if (key !== null) return { key, scopes: key.scopes }
    if (this.#isOpen) return anybody
    throw unknownKey()
  }

  /** The names of these keys, whatever became of them, by id. Throws STORE_UNAVAILABLE, STORAGE_UNUSABLE. */
  async names(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const keys = (await this.#options?.keys.read([...new Set(ids)])) ?? []
    return new Map(keys.map(({ id, name }) => [id, name]))
  }

  /** A ticket for one stream of this caller. Throws STORE_UNAVAILABLE. */
  async issueTicket({ key }: Caller): Promise<{ value: string; ttlMs: number }> {
    const value = newTicketValue()
    // Where nobody is asked for a key any ticket is as good.
    if (key !== null) await this.#options?.tickets.put(hashTicket(value), { keyId: key.id }, ticketMs)
    return { value, ttlMs: ticketMs }
  }

  /** Who was given this ticket, which is used up by it. Throws UNAUTHENTICATED, STORE_UNAVAILABLE, STORAGE_UNUSABLE. */
  async redeem(value: string): Promise<Caller> {
    if (this.#options === null || this.#isOpen) return anybody
    const ticket = await this.#options.tickets.take(hashTicket(value))
    const key = ticket && (await this.#read((keyring) => keyring.byId(ticket.keyId)))
    if (key === null)
      throw new LeadlineError(
        'UNAUTHENTICATED',
        `The ticket is not known, was used, or is older than ${ticketMs / 1000} s; fetch one for each attempt to connect`
      )
    return { key, scopes: ['stream'] }
  }

  /** The limits of the frames of one more stream, or of a single image; null: there are none. Ended by whoever has it. */
  frameFlow({ key }: Caller): FrameFlow | null {
    return key === null || this.#frames === null ? null : this.#frames.open(key)
  }

  /** One request more; null: the key has no limit of them. */
  countRequest({ key }: Caller): Promise<Standing | null> {
    return this.#count(`key:${key?.id}`, key?.limits.requestsPerMinute)
  }

  /** One ticket more; null: the key has no limit of them. */
  countTicket({ key }: Caller): Promise<Standing | null> {
    return this.#count(`ticket:${key?.id}`, key?.limits.ticketsPerMinute)
  }

  /** One refusal more of an address, for want of a valid key. */
  countRefusal(address: string): Promise<Standing | null> {
    return this.#count(`address:${addressGroup(address)}`, this.#options?.refusalsPerMinute)
  }

  /** Tell when the key counts no more. The result ends that. */
  hold({ key }: Caller, onEnd: (reason: LeadlineError) => void): () => void {
    if (key === null || this.#keyring === null) return () => {}
    return this.#keyring.hold(key, () => onEnd(unknownKey()))
  }

  /** Twice without harm. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer)
    await this.#looking
    await this.#options?.keys.close()
  }

  /** A store that is away counts nothing: it lets nobody in either. */
  async #count(name: string, limit: number | undefined): Promise<Standing | null> {
    if (this.#options === null || limit === undefined) return null
    const { log, requests } = this.#options
    return requests.take(name, limit).catch((error: unknown) => {
      log.debug({ err: error }, 'a request could not be counted')
      return null
    })
  }

  /** Where the keys lie is for the log alone. */
  async #read(find: (keyring: Keyring) => Promise<AccessKey | null>): Promise<AccessKey | null> {
    try {
      return this.#keyring && (await find(this.#keyring))
    } catch (error) {
      const { code } = asLeadlineError(error)
      if (code !== 'STORAGE_UNUSABLE') throw error
      this.#options?.log.error({ err: error }, 'the keys cannot be read')
      throw new LeadlineError(code, 'The server cannot read its keys; its log says why')
    }
  }

  #look(): void {
    this.#looking ??= Promise.all([
      this.#keyring?.look(),
      this.#frames?.look(),
      this.#lookForKeys().catch((error: unknown) =>
        this.#options?.log.debug({ err: error }, 'the keys could not be read')
      )
    ])
      .then(() => {})
      .finally(() => (this.#looking = null))
  }

  async #lookForKeys(): Promise<void> {
    if (!this.#isOpen || this.#options === null) return
    if ((await this.#options.keys.list()).length === 0) return
    this.#isOpen = false
    this.#options.log.info({}, 'there are keys: nobody is let in without one')
  }
}

const howToShow = 'send it as "Authorization: Bearer lk_…" (docs/keys.md)'

function unknownKey(): LeadlineError {
  return new LeadlineError(
    'UNAUTHENTICATED',
    `The key is not known, was revoked or has run out; ${howToShow}`
  )
}

/** Throws FORBIDDEN. */
export function requireScope({ scopes }: Caller, wanted: Scope): void {
  if (allows(scopes, wanted)) return
  throw new LeadlineError(
    'FORBIDDEN',
    `This needs a key with scope "${wanted}"; this one has ${scopes.join(', ')}`
  )
}
