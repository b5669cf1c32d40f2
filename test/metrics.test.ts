import { Gauge, Registry } from 'prom-client'
import { expect, onTestFinished, test } from 'vitest'
import { serveMetrics } from '../src/metrics.ts'

test('a worker whose executor is gone says so, while its figures wait for it', async () => {
  const registry = new Registry()
  new Gauge({ name: 'waiting', help: 'waits', registers: [registry], collect: () => new Promise(() => {}) })
  let isAlive = true
  const server = await serveMetrics({ registry, host: '127.0.0.1', port: 0, isAlive: () => isAlive })
  onTestFinished(() => server.close())
  const waiting = fetch(server.url).catch(() => 'closed')
  const livez = async () => {
    const answer = await fetch(new URL('/livez', server.url))
    return [answer.status, await answer.json()] as const
  }
  expect(await livez()).toEqual([200, { alive: true }])
  isAlive = false
  expect(await livez()).toEqual([503, { alive: false }])
  expect((await fetch(new URL('/', server.url))).status).toBe(404)
  await server.close()
  expect(await waiting).toBe('closed')
})
