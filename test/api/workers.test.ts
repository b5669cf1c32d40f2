import { expect, test } from 'vitest'
import { testApp } from '../helpers/build-app.ts'
import { openStream } from '../helpers/stream-client.ts'

interface Workers {
  workers: Record<string, unknown>[]
}

test('workers are listed, and one is told to leave', async () => {
  const { app, listen } = await testApp()
  await openStream(await listen())
  const list = async () => (await app.inject('/v1/workers')).json<Workers>().workers
  expect(await list()).toEqual([
    {
      ...{ id: 'embedded', draining: false, sessions: 1, device: expect.any(String) },
      ...{ reservedBytes: expect.any(Number), capacityBytes: expect.any(Number) },
      moved: { sessions: 0, longestStallMs: 0 },
      pace: { framesPerSecond: 0, latencyMs: { p50: 0, p99: 0 }, parkedSessions: 0 }
    }
  ])
  const told = await app.inject({ method: 'POST', url: '/v1/workers/embedded/drain' })
  expect([told.statusCode, told.body]).toEqual([204, ''])
  expect(await list()).toMatchObject([{ draining: true, sessions: 1 }])
})

test('a worker that is not there is refused, with those that are', async () => {
  const { app } = await testApp()
  const refused = await app.inject({ method: 'POST', url: '/v1/workers/other/drain' })
  expect(refused.statusCode).toBe(404)
  expect(refused.json()).toMatchObject({
    code: 'WORKER_UNKNOWN',
    detail: 'There is no worker other; there are: embedded'
  })
})

test('what would move for an even load is told, and nothing where there is one worker', async () => {
  const { app, listen } = await testApp()
  await openStream(await listen())
  const response = await app.inject('/v1/workers/rebalance')
  expect([response.statusCode, response.json()]).toEqual([
    200,
    {
      moves: [],
      workers: [
        {
          ...{ id: 'embedded', draining: false, sessions: 1, sessionsAfter: 1 },
          ...{ share: expect.any(Number), shareAfter: expect.any(Number) }
        }
      ]
    }
  ])
})
