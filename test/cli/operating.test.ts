import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { Registry } from 'prom-client'
import { expect, test, vi, onTestFinished } from 'vitest'
import { buildProgram } from '../../src/cli/program.ts'
import { environmentSchema } from '../../src/environment.ts'
import { testApp } from '../helpers/build-app.ts'
import { parse } from './parse.ts'

const timeout = 60_000
const page = await readFile(new URL('../../docs/operating.md', import.meta.url), 'utf8')

/** Every `leadline …` in blocks and in the text, without what stands in front of it and behind a # or a pipe. */
const commands = [...page.matchAll(/(?:^|`)(leadline [a-z][^`\n]*)/gm)].map(([, line = '']) =>
  line
    .replace(/\s*[#|].*$/, '')
    .trim()
    .split(/\s+/)
    .slice(1)
)

/** What a command line names: the command, and the options that it has not. */
function looked(words: readonly string[]): { command: Command; unknown: string[] } {
  let command = buildProgram() as Command
  const rest = [...words]
  for (let next = command; ; command = next) {
    const found = command.commands.find((one) => one.name() === rest[0])
    if (!found) break
    rest.shift()
    next = found
  }
  const known = command.options.flatMap(({ long, short }) => [long, short])
  return { command, unknown: rest.filter((word) => word.startsWith('-') && !known.includes(word)) }
}

test('every command of the page for operators is there, with the options that it is given', () => {
  expect(commands.length).toBeGreaterThan(10)
  for (const words of commands) {
    const { command, unknown } = looked(words)
    expect(command.parent, words.join(' ')).not.toBeNull()
    expect(unknown, words.join(' ')).toEqual([])
  }
})

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
