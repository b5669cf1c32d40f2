import { describe, expect, test } from 'vitest'
import { mintKey } from '../../src/access/index.ts'
import type { AccessKey, KeyStore } from '../../src/access/index.ts'

/** Several on the same keys, as a server and a command are; closed by whoever makes them. */
export type MakeKeyStores = () => Promise<[KeyStore, KeyStore]>

function keyOf(name: string, createdAtMs: number): AccessKey {
  return mintKey(
    { name, scopes: ['stream', 'clips'], limits: { framesPerSecond: 0.5 }, expiresAtMs: 5000 },
    createdAtMs
  ).key
}

/** What every place for keys does. */
export function keyStoreSuite(name: string, makeStores: MakeKeyStores): void {
  describe(`${name} key store`, () => {
    test('where no key was ever made there is none', async () => {
      const [store] = await makeStores()
      expect(await store.list()).toEqual([])
      expect(await store.read([])).toEqual([])
      expect(await store.read(['0123456789abcdef'])).toEqual([])
      expect(await store.revoke('0123456789abcdef', 1)).toBe('unknown')
    })

    test('a key that one adds the other reads, whole', async () => {
      const [ours, theirs] = await makeStores()
      const [younger, older] = [keyOf('Zoë’s camera', 2000), keyOf('b', 1000)]
      await ours.add(younger)
      await ours.add(older)
      expect(await theirs.read([older.id, 'ffffffffffffffff', younger.id])).toEqual([older, younger])
      expect(await theirs.list()).toEqual([older, younger])
    })

    test('a revocation is seen by the other, and the first one stays', async () => {
      const [ours, theirs] = await makeStores()
      const key = keyOf('a', 1000)
      await ours.add(key)
      expect(await theirs.revoke(key.id, 3000)).toBe('revoked')
      expect(await ours.read([key.id])).toEqual([{ ...key, revokedAtMs: 3000 }])
      expect(await ours.revoke(key.id, 4000)).toBe('revoked')
      expect(await theirs.list()).toEqual([{ ...key, revokedAtMs: 3000 }])
    })

    test('keys that are added and revoked at once are all there', async () => {
      const [ours, theirs] = await makeStores()
      const keys = Array.from({ length: 20 }, (_, i) => keyOf(`k${i}`, i))
      await Promise.all(keys.map((key, i) => (i % 2 === 0 ? ours : theirs).add(key)))
      await Promise.all(keys.map((key) => theirs.revoke(key.id, 9)))
      expect((await ours.list()).map(({ name, revokedAtMs }) => [name, revokedAtMs])).toEqual(
        keys.map(({ name }) => [name, 9])
      )
    })
  })
}
