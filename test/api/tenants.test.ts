import { expect, test } from 'vitest'
import { testApp } from '../helpers/build-app.ts'
import { HashEngine } from '../helpers/hash-engine.ts'
import { addKey } from '../helpers/keys.ts'
import { openStream } from '../helpers/stream-client.ts'

const config = { defaultModel: 'hash' }
const tenantsOf = (engine: HashEngine) => [...engine.sessions.values()].map(({ tenant }) => tenant)

test('sessions share the device by their key', async () => {
  const engine = new HashEngine()
  const { keys, listen } = await testApp({ engine, config: { ...config, auth: 'keys' } })
  const url = await listen()
  const { key, headers } = await addKey(keys)
  await openStream(url, {}, { headers })
  await openStream(url, {}, { headers })
  expect(tenantsOf(engine)).toEqual([key.id, key.id])
})

test('where no key is asked for, by their address', async () => {
  const engine = new HashEngine()
  const { listen } = await testApp({ engine, config })
  await openStream(await listen(), {})
  expect(tenantsOf(engine)).toEqual(['127.0.0.1'])
})
