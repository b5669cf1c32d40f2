import { Gauge, Registry } from 'prom-client'
import { expect, onTestFinished, test } from 'vitest'
import { serveMetrics } from '../../src/metering/metrics.ts'

test('a worker whose executor is gone says so, while its figures wait for it', async () => {
  const registry = new Registry()
  new Gauge({ name: 'waiting', help: 'waits', registers: [registry], collect: () => new Promise(() => {}) })
  let isAlive = true
  let lacks = ['lease']
  const missing = () => lacks
  const server = await serveMetrics({ registry, host: '127.0.0.1', port: 0, isAlive: () => isAlive, missing })
  onTestFinished(() => server.close())
  const waiting = fetch(server.url).catch(() => 'closed')
  const ask = async (path: string) => {
    const answer = await fetch(new URL(path, server.url))
    return [answer.status, await answer.json()] as const
  }
  const livez = () => ask('/livez')
  expect(await ask('/readyz')).toEqual([503, { ready: false, missing: ['lease'] }])
  lacks = []
  expect(await ask('/readyz')).toEqual([200, { ready: true, missing: [] }])
  expect(await livez()).toEqual([200, { alive: true }])
  isAlive = false
  expect(await livez()).toEqual([503, { alive: false }])
  expect(await ask('/readyz')).toEqual([503, { ready: false, missing: ['executor'] }])
  expect((await fetch(new URL('/', server.url))).status).toBe(404)
  await server.close()
  expect(await waiting).toBe('closed')
})
