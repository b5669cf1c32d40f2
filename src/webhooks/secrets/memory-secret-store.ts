import { keptSecrets } from './secret-store.ts'
import type { Secret, SecretStore } from './secret-store.ts'

/** Of a server that keeps nothing. */
export class MemorySecretStore implements SecretStore {
  readonly #secrets = new Map<string | null, Secret[]>()

  async read(owner: string | null): Promise<Secret[]> {
    return this.#secrets.get(owner) ?? []
  }

  async add(owner: string | null, secret: Secret): Promise<void> {
    this.#secrets.set(owner, [secret, ...(await this.read(owner))].slice(0, keptSecrets))
  }
}
