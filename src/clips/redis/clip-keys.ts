/** Every key in Redis that clips have, with its type and owner. Their life is `clipTtlMs`, renewed by every gateway that is up. */
export class ClipKeys {
  readonly #base: string

  constructor(prefix: string) {
    this.#base = `{${prefix}}:clips`
  }

  /** hash, the row of a clip. */
  row(id: string): string {
    return `${this.#base}:row:${id}`
  }

  /** zset of the places of all clips; every score is 0. */
  places(): string {
    return `${this.#base}:places`
  }

  /** zset of the places of the clips of one owner. */
  placesOf(owner: string | null): string {
    return owner === null ? `${this.#base}:unowned` : `${this.#base}:of:${owner}`
  }

  /** string, empty. Its existence says that the book has everything that is in the storage. */
  known(storage: string): string {
    return `${this.#base}:known:${storage}`
  }

  /** hash, the last turn of each owner, and which is served. */
  turns(storage: string): string {
    return `${this.#base}:turns:${storage}`
  }

  /** string, what a request came to, by its name; empty while it is on its way. TTL a day, or while it is held. */
  request(name: string): string {
    return `${this.#base}:request:${name}`
  }

  /** What BullMQ puts before the names of its queues, one per storage. */
  queuePrefix(): string {
    return `${this.#base}:queue`
  }

  /** What the keys of a storage's queue start with. */
  queueBase(storage: string): string {
    return `${this.queuePrefix()}:${storage}:`
  }
}

/** With no gateway up for longer, clips are entered again from what the storage has. */
export const clipTtlMs = 86_400_000
