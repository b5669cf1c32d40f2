import { expect, onTestFinished, test, vi } from 'vitest'
import { Access, keyState } from '../../src/access/index.ts'
import type { AccessKey, KeyStore } from '../../src/access/index.ts'
import { alone } from '../../src/access/limits/flow.ts'
import { RequestMeter } from '../../src/access/limits/request-meter.ts'
import { MemoryTicketStore } from '../../src/access/memory/memory-ticket-store.ts'
import { Keyring } from '../../src/access/keyring.ts'
import { LeadlineError } from '../../src/errors.ts'
import { addKey } from '../helpers/keys.ts'
import { quietLog } from '../helpers/quiet-log.ts'

const others = {
  tickets: new MemoryTicketStore(),
  exchange: alone,
  requests: new RequestMeter(null),
  refusalsPerMinute: 3
}

/** Counts how often it is read, and may be away. */
class ListedKeys implements KeyStore {
  readonly keys = new Map<string, AccessKey>()
  numReads = 0
  isAway = false

  async add(key: AccessKey): Promise<void> {
    this.keys.set(key.id, key)
  }

  async read(ids: readonly string[]): Promise<AccessKey[]> {
    this.numReads += ids.length
    if (this.isAway) throw new LeadlineError('STORE_UNAVAILABLE', 'it is away')
    return ids.flatMap((id) => this.keys.get(id) ?? [])
  }

  async list(): Promise<AccessKey[]> {
    return [...this.keys.values()]
  }

  async revoke(id: string, revokedAtMs: number): Promise<'revoked' | 'unknown'> {
    const key = this.keys.get(id)
    if (key) this.keys.set(id, { ...key, revokedAtMs })
    return key ? 'revoked' : 'unknown'
  }

  async close(): Promise<void> {}
}

function keyring() {
  const store = new ListedKeys()
  const clock = { ms: Date.now() }
  const ring = new Keyring({ store, log: quietLog(), now: () => clock.ms })
  return { store, clock, ring, ended: [] as string[] }
}

test('a key is read once a second at most, whoever shows it, and a stranger’s value is none', async () => {
  const { store, clock, ring } = keyring()
  const { key, value } = await addKey(store)
  for (let i = 0; i < 50; i++) expect(await ring.find(value)).toEqual(key)
  expect(store.numReads).toBe(1)
  expect(await ring.find(value.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')))).toBeNull()
  clock.ms += 1000
  await ring.find(value)
  expect(store.numReads).toBe(2)
})

test('a revoked key opens nothing after a second, and its holders are told at the next look, once', async () => {
  const { store, clock, ring, ended } = keyring()
  const { key, value } = await addKey(store)
  const other = await addKey(store, { name: 'other' })
  for (const holder of ['a', 'b']) ring.hold(key, () => ended.push(holder))
  const letGo = ring.hold(key, () => ended.push('left'))
  ring.hold(other.key, () => ended.push('other'))
  letGo()
  await ring.look()
  expect(ended).toEqual([])
  await store.revoke(key.id, clock.ms)
  await ring.look()
  await ring.look()
  expect(ended).toEqual(['a', 'b'])
  clock.ms += 1000
  expect(await ring.find(value)).toBeNull()
  expect(await ring.find(other.value)).toEqual(other.key)
})

test('while the keys cannot be read those in use stay, until they run out', async () => {
  const { store, clock, ring, ended } = keyring()
  const { key, value } = await addKey(store, { expiresAtMs: clock.ms + 5000 })
  ring.hold(key, () => ended.push('ended'))
  store.isAway = true
  await expect(ring.find(value)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  await ring.look()
  expect(ended).toEqual([])
  clock.ms += 5000
  expect(keyState(key, clock.ms)).toBe('expired')
  await ring.look()
  expect(ended).toEqual(['ended'])
})

test('what is open at first is closed by the first key, and stays closed', async () => {
  const store = new ListedKeys()
  const access = new Access({
    keys: store,
    ...others,
    isOpenAtFirst: true,
    log: quietLog()
  })
  onTestFinished(() => access.close())
  await access.start()
  expect(await access.identify(null)).toMatchObject({ key: null, scopes: ['admin'] })
  const { key, value } = await addKey(store)
  await expect.poll(() => access.isOpen, { timeout: 90_000 }).toBe(false)
  await expect(access.identify(null)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  expect(await access.identify(value)).toMatchObject({ key: { id: key.id } })
  store.keys.clear()
  await expect(access.identify(null)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
})

test('where keys cannot be read, a client is not told where they lie', async () => {
  const store = new ListedKeys()
  const { value } = await addKey(store)
  const access = new Access({
    keys: store,
    ...others,
    isOpenAtFirst: false,
    log: quietLog()
  })
  onTestFinished(() => access.close())
  store.read = () => Promise.reject(new LeadlineError('STORAGE_UNUSABLE', '/secret/place is damaged'))
  await expect(access.identify(value)).rejects.toMatchObject({
    code: 'STORAGE_UNUSABLE',
    message: expect.not.stringContaining('/secret')
  })
})

test.each([0, 1, 500, 999])(
  'gateways tell the holders of a key within a second that it was revoked, %i ms after one has looked',
  async (phaseMs) => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const store = new ListedKeys()
    const { key, value } = await addKey(store)
    const told: number[] = []
    for (let i = 0; i < 2; i++) {
      const access = new Access({ keys: store, ...others, isOpenAtFirst: false, log: quietLog() })
      onTestFinished(() => access.close())
      await access.start()
      access.hold(await access.identify(value), () => told.push(Date.now()))
      await vi.advanceTimersByTimeAsync(300)
    }
    await vi.advanceTimersByTimeAsync(700 + phaseMs)
    const revokedAtMs = Date.now()
    await store.revoke(key.id, revokedAtMs)
    await vi.advanceTimersByTimeAsync(1000)
    expect(told).toHaveLength(2)
    for (const at of told) expect(at - revokedAtMs).toBeLessThanOrEqual(1000)
  }
)
