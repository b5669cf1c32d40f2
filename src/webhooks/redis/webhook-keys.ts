/** Every key in Redis that webhooks have, with its type and life. */
export class WebhookKeys {
  readonly #base: string

  constructor(prefix: string) {
    this.#base = `{${prefix}}:webhooks`
  }

  /** list of the secrets of an owner as JSON, the newest first. As keys, they stay until Redis forgets. */
  secrets(owner: string | null): string {
    return owner === null ? `${this.#base}:open-secrets` : `${this.#base}:secrets:${owner}`
  }

  /** What BullMQ puts before the name of its queue. Its keys live for `queueTtlMs`, renewed by every gateway that is up. */
  queuePrefix(): string {
    return this.#base
  }

  /** What the keys of the queue start with. */
  queueBase(): string {
    return `${this.#base}:${queueName}:`
  }
}

export const queueName = 'deliveries'
/** Well beyond the last try. */
export const queueTtlMs = 7 * 86_400_000
