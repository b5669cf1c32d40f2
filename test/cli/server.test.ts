import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { connectStream } from '../../src/client/index.ts'
import type { Config } from '../../src/config.ts'
import { loadConfig } from '../../src/config.ts'
import { startServer } from '../../src/server.ts'
import { executorsOf } from '../helpers/executors.ts'
import { randomPrefix, startRedis } from '../helpers/redis.ts'
import { temporaryFolder } from '../video/clip-file.ts'

const log = pino({ level: 'silent' })

async function testConfig(changes: Partial<Config>): Promise<Config> {
  const environment = { LEADLINE_EXECUTOR: 'fake', LEADLINE_PORT: '0' }
  return {
    ...loadConfig(environment),
    dataDir: await temporaryFolder(),
    keyPrefix: randomPrefix(),
    ...changes
  }
}

async function takenPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

test.each(['memory', 'Redis'])(
  'gateway and worker in one process meet in %s, and leave nothing running',
  async (where) => {
    const redis = where === 'Redis' ? await startRedis() : null
    onTestFinished(() => redis?.stop())
    const server = await startServer(await testConfig({ redisUrl: redis?.url ?? null }), log)
    onTestFinished(() => server.close())
    expect(await executorsOf(process.pid)).toHaveLength(1)
    const stream = await connectStream({ url: server.url, config: { delivery: 'lossless' } })
    for (let i = 0; i < 5; i++)
      await stream.send({ data: new Uint8Array(48), codec: 'rgb24', width: 4, height: 4 })
    expect(await stream.close()).toMatchObject({ frames: 5, results: 5 })
    await server.close()
    await server.close()
    expect(await executorsOf(process.pid)).toEqual([])
  }
)

test.each([
  ['memory', null],
  ['Redis', 'redis']
])('with %s, a server that cannot listen leaves nothing running', async (_where, wanted) => {
  const redis = wanted === null ? null : await startRedis()
  onTestFinished(() => redis?.stop())
  const config = await testConfig({ redisUrl: redis?.url ?? null, port: await takenPort() })
  await expect(startServer(config, log)).rejects.toMatchObject({ code: 'EADDRINUSE' })
  expect(await executorsOf(process.pid)).toEqual([])
})

test('a server whose Redis is not there leaves nothing running', async () => {
  const config = await testConfig({ redisUrl: 'redis://127.0.0.1:1' })
  await expect(startServer(config, log)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  expect(await executorsOf(process.pid)).toEqual([])
})
