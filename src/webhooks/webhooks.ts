import { LeadlineError } from '../errors.ts'
import { ForbiddenAddressError, webAddress } from '../machine/web-request.ts'
import type { DeadLetter, Delivery } from './delivery.ts'
import type { DeliveryQueue } from './queue/delivery-queue.ts'
import { signing } from './secrets/secret-store.ts'
import type { SecretStore } from './secrets/secret-store.ts'
import { newSecret } from './sending/signature.ts'

export interface WebhooksOptions {
  queue: DeliveryQueue
  secrets: SecretStore
}

/**
 * What a gateway tells to receivers outside. `owner` is the id of a key: what is another's is as if it were not there. Everything
 * throws STORE_UNAVAILABLE, and STORAGE_UNUSABLE where secrets lie in a folder.
 */
export class Webhooks {
  readonly #options: WebhooksOptions

  constructor(options: WebhooksOptions) {
    this.#options = options
  }

  /** Whether this owner may name this address. Throws URL_FORBIDDEN, and REQUEST_INVALID where nothing could be signed. */
  async check(owner: string | null, url: string): Promise<void> {
    try {
      webAddress(url)
    } catch (error) {
      if (!(error instanceof ForbiddenAddressError)) throw error
      throw new LeadlineError('URL_FORBIDDEN', `The address of the webhook ${error.message}; name another`)
    }
    if (signing(await this.#options.secrets.read(owner), Date.now()).length > 0) return
    throw new LeadlineError(
      'REQUEST_INVALID',
      'There is no secret to sign webhooks with; make one first, by POST /v1/webhooks/secret or "leadline webhooks secret"'
    )
  }

  /** Once for each id, for as long as it is on its way. `onSafe`: it need not be given again. */
  add(delivery: Delivery, onSafe: () => Promise<void>): Promise<void> {
    return this.#options.queue.add(delivery, onSafe)
  }

  /** A new one, not to be had again; the one before it signs beside it for `overlapMs`. */
  async newSecret(owner: string | null): Promise<string> {
    const secret = newSecret()
    await this.#options.secrets.add(owner, { secret, madeAtMs: Date.now() })
    return secret
  }

  /** Deliveries by state; failed: given up. */
  counts() {
    return this.#options.queue.counts()
  }

  /** Given up, the last first. `owner` null: everybody's. */
  deadLetters(owner: string | null): Promise<DeadLetter[]> {
    return this.#options.queue.deadLetters(owner)
  }

  /** Try a dead letter again, as often as at first. Throws WEBHOOK_UNKNOWN. */
  async resend(id: string, owner: string | null): Promise<void> {
    if (await this.#options.queue.resend(id, owner)) return
    throw new LeadlineError(
      'WEBHOOK_UNKNOWN',
      `No webhook ${id} was given up; it may be on its way, or delivered`
    )
  }
}
