import { mintKey, usualScopes } from '../../src/access/index.ts'
import type { AccessKey, KeyStore, KeyWish } from '../../src/access/index.ts'

export interface TestKey {
  key: AccessKey
  value: string
  headers: { authorization: string }
}

/** A key in the store, and what a request shows of it. */
export async function addKey(store: Pick<KeyStore, 'add'>, wish: Partial<KeyWish> = {}): Promise<TestKey> {
  const { key, value } = mintKey(
    { name: 'camera', scopes: usualScopes, limits: {}, expiresAtMs: null, ...wish },
    Date.now()
  )
  await store.add(key)
  return { key, value, headers: { authorization: `Bearer ${value}` } }
}
