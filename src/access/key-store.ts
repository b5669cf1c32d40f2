import type { AccessKey } from './access-key.ts'

/**
 * Where keys lie. One contract suite runs on every form (test/contract/key-store.suite.ts). Methods throw
 * STORE_UNAVAILABLE, or STORAGE_UNUSABLE and STORAGE_FULL where it is a folder.
 */
export interface KeyStore {
  /** A new one; its id was never there. */
  add(key: AccessKey): Promise<void>
  /** Those of these that there are, whatever their state. */
  read(ids: readonly string[]): Promise<AccessKey[]>
  /** All, the oldest first. */
  list(): Promise<AccessKey[]>
  /** From now on it opens nothing; the first revocation counts. A revoked key is kept: what it made still names it. */
  revoke(id: string, atMs: number): Promise<'revoked' | 'unknown'>
  /** Twice without harm. */
  close(): Promise<void>
}

export function byAge(a: AccessKey, b: AccessKey): number {
  return a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1)
}
