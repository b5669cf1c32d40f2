import { createServer } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { testApp } from '../helpers/build-app.ts'
import { parse } from './parse.ts'

const plan = {
  moves: [
    {
      ...{ session: 's_a', model: 'leadline-nano', from: 'gpu-1', to: 'gpu-2', bytes: 13 * 2 ** 20 },
      ...{ fromShare: 0.6, toShare: 0.2 }
    }
  ],
  workers: [
    { id: 'gpu-1', draining: false, sessions: 6, sessionsAfter: 5, share: 0.6, shareAfter: 0.5 },
    { id: 'gpu-2', draining: false, sessions: 2, sessionsAfter: 3, share: 0.2, shareAfter: 0.3 },
    { id: 'gpu-3', draining: true, sessions: 1, sessionsAfter: 1, share: 0.1, shareAfter: 0.1 }
  ]
}

test('a dry run says what would move and why, and asks for nothing else', async () => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    response.setHeader('content-type', 'application/json').end(JSON.stringify(plan))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as { port: number }
  const { exitCode, stderr, stdout } = await parse([
    ...['rebalance', '--dry-run', '--url', `http://127.0.0.1:${port}`]
  ])
  expect({ exitCode, stderr, asked }).toEqual({
    exitCode: 0,
    stderr: '',
    asked: ['GET /v1/workers/rebalance']
  })
  expect(stdout.trim().split('\n')).toEqual([
    'session  model          from   to     device    why',
    's_a      leadline-nano  gpu-1  gpu-2  13.0 MiB  gpu-1 is 60 % full, gpu-2 20 %',
    'gpu-1: 6 sessions, 60 % full, then 5 and 50 %',
    'gpu-2: 2 sessions, 20 % full, then 3 and 30 %',
    'gpu-3: 1 session, 10 % full; it is draining',
    '1 session would move.'
  ])
})

test('a dry run says so where nothing would move', async () => {
  const { listen } = await testApp()
  const { exitCode, stdout } = await parse(['rebalance', '--dry-run', '--url', await listen()])
  expect(exitCode).toBe(0)
  expect(stdout).toBe(
    'embedded: 0 sessions, 0 % full\nNothing would move: no move would make the load more even.\n'
  )
})
