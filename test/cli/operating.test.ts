import { Registry } from 'prom-client'
import { expect, test, vi, onTestFinished } from 'vitest'
import { environmentSchema } from '../../src/environment.ts'
import { leadlineCommands, page as pageOf } from '../docs/pages.ts'
import { testApp } from '../helpers/build-app.ts'
import { parse } from './parse.ts'

const timeout = 60_000
const page = pageOf('docs/operating.md')
const commands = leadlineCommands(page)

test('every setting that it names is there', () => {
  const names = [...page.matchAll(/\b(?:LEADLINE|OTEL)_[A-Z_]+\b/g)].map(([name]) => name)
  expect(names.length).toBeGreaterThan(5)
  for (const name of names) expect(Object.keys(environmentSchema.properties)).toContain(name)
})

test('those that only look run against a server', { timeout }, async () => {
  const { listen } = await testApp({ metrics: new Registry() })
  vi.stubEnv('LEADLINE_PORT', new URL(await listen()).port)
  onTestFinished(() => void vi.unstubAllEnvs())
  const looks = ['top --once', 'sessions', 'clips', 'webhooks', 'rebalance']
  for (const look of looks) {
    expect(
      commands.map((words) => words.join(' ')),
      look
    ).toContain(look)
    expect(await parse(look.split(' ')), look).toMatchObject({ exitCode: 0 })
  }
})
