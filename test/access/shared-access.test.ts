import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { openAccess, openKeyStore } from '../../src/access/index.ts'
import type { Access, KeyStore } from '../../src/access/index.ts'
import type { Config } from '../../src/config.ts'
import { loadConfig } from '../../src/config.ts'
import { addKey } from '../helpers/keys.ts'
import { quietLog } from '../helpers/quiet-log.ts'
import { randomPrefix, startRedis } from '../helpers/redis.ts'
import type { RedisServer } from '../helpers/redis.ts'

let server: RedisServer
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

/** Who may use each of two gateways of one Redis, and the command that makes keys. */
async function installation(): Promise<{ gateways: [Access, Access]; keys: KeyStore; config: Config }> {
  const config = loadConfig({
    REDIS_URL: server.url,
    LEADLINE_KEY_PREFIX: randomPrefix(),
    LEADLINE_AUTH: 'keys'
  })
  const open = async () => {
    const access = await openAccess(config, quietLog())
    onTestFinished(() => access.close())
    return access
  }
  const keys = await openKeyStore(config, quietLog())
  onTestFinished(() => keys.close())
  return { gateways: [await open(), await open()], keys, config }
}

test('a key that is made, and revoked, anywhere is known at every gateway', async () => {
  const { gateways, keys } = await installation()
  const { key, value } = await addKey(keys)
  const callers = await Promise.all(gateways.map((gateway) => gateway.identify(value)))
  expect(callers.map((caller) => caller.key?.id)).toEqual([key.id, key.id])
  const ended = gateways.map((gateway, i) => new Promise((resolve) => gateway.hold(callers[i]!, resolve)))
  await keys.revoke(key.id, Date.now())
  for (const reason of await Promise.all(ended)) expect(reason).toMatchObject({ code: 'UNAUTHENTICATED' })
  for (const gateway of gateways)
    await expect(gateway.identify(value)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
})

test('a ticket of one gateway opens one stream at another', async () => {
  const { gateways, keys } = await installation()
  const [ours, theirs] = gateways
  const { key, value } = await addKey(keys, { scopes: ['admin'] })
  const ticket = await ours.issueTicket(await ours.identify(value))
  expect(await theirs.redeem(ticket.value)).toMatchObject({ key: { id: key.id }, scopes: ['stream'] })
  await expect(ours.redeem(ticket.value)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
})

test('requests are counted once for all gateways', async () => {
  const { gateways, keys } = await installation()
  const { value } = await addKey(keys, { limits: { requestsPerMinute: 3 } })
  const counts = []
  for (const gateway of [...gateways, ...gateways])
    counts.push(await gateway.countRequest(await gateway.identify(value)))
  expect(counts.map((standing) => standing?.isGranted)).toEqual([true, true, true, false])
})

test('nobody new is let in while Redis is away', async () => {
  const own = await startRedis()
  const config = loadConfig({
    REDIS_URL: own.url,
    LEADLINE_KEY_PREFIX: randomPrefix(),
    LEADLINE_AUTH: 'keys'
  })
  const access = await openAccess(config, quietLog())
  onTestFinished(() => access.close())
  const keys = await openKeyStore(config, quietLog())
  const { value } = await addKey(keys)
  await keys.close()
  await own.stop()
  await expect(access.identify(value)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
})
