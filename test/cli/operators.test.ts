import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { testApp } from '../helpers/build-app.ts'
import { startInTerminal } from './leadline-process.ts'
import { parse } from './parse.ts'

const timeout = 60_000

test('a server is loaded at a fixed rate, and then looked at', { timeout }, async () => {
  const { listen } = await testApp({ metrics: new Registry() })
  const url = await listen()
  const load = ['--sessions', '2', '--fps', '20', '--seconds', '1', '--delivery', 'lossless']
  const bench = await parse(['bench', url.replace('http', 'ws'), ...load])
  expect(bench).toMatchObject({ exitCode: 0, stderr: '' })
  const summary = JSON.parse(bench.stdout) as Record<string, unknown>
  expect(summary).toMatchObject({
    sessions: 2,
    framesPerSecond: 20,
    results: 40,
    drops: {},
    errors: {},
    failed: {}
  })
  expect(summary['continuity']).toEqual({ exact: 0, rebuilt: 0, new: 0 })

  const top = await parse(['top', '--url', url, '--once'])
  expect(top.exitCode).toBe(0)
  expect(JSON.parse(top.stdout)).toMatchObject({
    missing: [],
    total: { workers: 1, parked: 0 },
    gateway: {
      streams: 0,
      framesPerSecond: null,
      drops: 0,
      latencyMs: { p99: expect.any(Number) as number }
    },
    workers: [{ id: 'embedded', pace: { framesPerSecond: expect.any(Number) as number } }]
  })
})

test('a server that is not there, and a rate that is none, are named', async () => {
  for (const command of [
    ['bench', 'ws://127.0.0.1:1'],
    ['top', '--once', '--url', 'http://127.0.0.1:1']
  ])
    expect(await parse(command)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('127.0.0.1:1') as string
    })
  expect(await parse(['bench', 'ws://127.0.0.1:1', '--fps', '0'])).toMatchObject({ exitCode: 2 })
})

test('a terminal gets lines for people, and what to try next', { timeout }, async () => {
  const serve = startInTerminal(['serve', '--port', '0'])
  const [, url = ''] = await serve.printed(/look at it: \S.* top --url (http\S+)/)
  expect((await fetch(`${url}/livez`)).status).toBe(200)
  expect(serve.stdout).toMatch(/\d\d:\d\d:\d\d info {2}listening url=http/)
  expect(serve.stdout).not.toContain('{"level"')
})
