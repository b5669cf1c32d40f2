import { isValueOf, keyIdOf, keyState } from './access-key.ts'
import type { AccessKey } from './access-key.ts'
import type { KeyStore } from './key-store.ts'
import type { Log } from '../sessions/index.ts'

/** A key that was read is trusted for so long; those in use are looked at as often. */
export const lookMs = 1000

export interface KeyringOptions {
  store: KeyStore
  log: Log
  /** Milliseconds since 1970. */
  now: () => number
}

interface Holder {
  onEnd: () => void
}

/**
 * The keys of one gateway: those that were shown lately, and those in use, whose holders are told within two looks when one
 * is revoked or runs out. While the store is away nobody new is let in, and whoever is in stays, until their key runs out.
 */
export class Keyring {
  readonly #options: KeyringOptions
  readonly #fresh = new Map<string, { key: AccessKey; readAtMs: number }>()
  readonly #held = new Map<string, { key: AccessKey; holders: Set<Holder> }>()

  constructor(options: KeyringOptions) {
    this.#options = options
  }

  /** The valid key of this value; null: it is none. Throws what reading the store throws. */
  async find(value: string): Promise<AccessKey | null> {
    const id = keyIdOf(value)
    const key = id === null ? null : await this.#read(id)
    return isValueOf(value, key) && key !== null && this.isValid(key) ? key : null
  }

  /** A valid key by its id, from a ticket. */
  async byId(id: string): Promise<AccessKey | null> {
    const key = await this.#read(id)
    return key !== null && this.isValid(key) ? key : null
  }

  isValid(key: AccessKey): boolean {
    return keyState(key, this.#options.now()) === 'valid'
  }

  /** Tell when the key counts no more, once. The result ends that. */
  hold(key: AccessKey, onEnd: () => void): () => void {
    const { holders } = this.#held.get(key.id) ?? { holders: new Set<Holder>() }
    const holder = { onEnd }
    holders.add(holder)
    this.#held.set(key.id, { key, holders })
    return () => {
      holders.delete(holder)
      if (holders.size === 0 && this.#held.get(key.id)?.holders === holders) this.#held.delete(key.id)
    }
  }

  /** Read again what is in use, and forget what was not shown lately. Never rejects. */
  async look(): Promise<void> {
    const { now, store, log } = this.#options
    for (const [id, { readAtMs }] of this.#fresh) if (readAtMs + lookMs <= now()) this.#fresh.delete(id)
    const ids = [...this.#held.keys()]
    try {
      const found = new Map((await store.read(ids)).map((key) => [key.id, key]))
      for (const id of ids) this.#renew(id, found.get(id) ?? null)
    } catch (error) {
      log.debug({ err: error }, 'the keys in use could not be read')
      for (const [id, { key }] of this.#held) this.#renew(id, key)
    }
  }

  #renew(id: string, key: AccessKey | null): void {
    const held = this.#held.get(id)
    if (held === undefined) return
    if (key !== null && this.isValid(key)) return void (held.key = key)
    this.#held.delete(id)
    this.#fresh.delete(id)
    const { name } = held.key
    this.#options.log.info({ key: name, holders: held.holders.size }, 'a key counts no more')
    for (const { onEnd } of held.holders) onEnd()
  }

  async #read(id: string): Promise<AccessKey | null> {
    const { now, store } = this.#options
    const fresh = this.#fresh.get(id)
    if (fresh !== undefined && now() < fresh.readAtMs + lookMs) return fresh.key
    const readAtMs = now()
    const [key = null] = await store.read([id])
    if (key === null) this.#fresh.delete(id)
    else this.#fresh.set(id, { key, readAtMs })
    return key
  }
}
