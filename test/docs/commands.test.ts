import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Command } from 'commander'
import { expect, test } from 'vitest'
import { buildProgram } from '../../src/cli/program.ts'
import { startListening } from '../cli/leadline-process.ts'
import { codeBlocks } from '../contract/protocol-page.ts'
import { leadlineCommands, page, pages, root } from './pages.ts'
import { ranIn, readersFolder } from './reader.ts'

const timeout = 600_000

/** What is not run, by how it begins, on a page that is run but for it. */
const left: Record<string, Record<string, string>> = {
  'README.md': {
    './demo': 'sets a machine up: test/cli/demo-script.test.ts, and the demo streams in test/package.test.ts',
    './check': 'runs every test',
    'npm run leadline -- serve': 'serves until it is ended: test/cli/services.e2e.test.ts',
    'leadline serve': 'serves until it is ended: the server that the others are run against',
    'leadline stream rtsp:': 'needs a camera: test/cli/live-source.e2e.test.ts has an RTSP server',
    'leadline models add vda-small': 'downloads 116 MB: test/cli/models-short-names.test.ts',
    'REDIS_URL=redis://host leadline': 'serve until they are ended: test/cli/services.e2e.test.ts',
    'leadline top': 'looks until it is ended: docs/operating.md has it with --once'
  },
  'docs/first-ten-minutes.md': { 'leadline serve': 'the server that the others are run against' },
  'docs/keys.md': {
    'export LEADLINE_KEY=': 'shows where a key goes: test/cli/server-key.test.ts',
    'leadline sessions --url https:': 'names a server of nobody: docs/operating.md has it without'
  },
  'docs/operating.md': {
    'leadline top                ': 'looks until it is ended: below it is run with --once'
  },
  'docs/webhooks.md': {
    'curl --data-binary @walk.mp4': 'would tell somebody else’s address: test/webhooks',
    'leadline webhooks resend ID': 'needs one that was given up: test/cli/webhooks.test.ts'
  }
}

/** Pages of which no command is run. */
const untried: Record<string, string> = {
  'docs/evaluation.md': 'data sets of others, and hours: test/cli/eval',
  'docs/gpu.md': 'a GPU, and training',
  'docs/models-add.md':
    'a download of 116 MB: test/cli/models-add.test.ts, test/cli/models-short-names.test.ts',
  'docs/selfhost.md': 'Docker, systemd as root, a cluster: test/infra',
  'clients/python/README.md': 'what scripts/python-env.sh does before the tests of the client'
}

/** Commands of the blocks, each with the lines that it goes on in. */
function shellCommands(name: string): string[] {
  const blocks = codeBlocks(page(name), 'sh')
  return blocks.flatMap((block) =>
    block
      .replaceAll(/\\\n\s*/g, ' ')
      .trim()
      .split('\n')
  )
}

const withCommands = [...pages.keys()].filter((name) => codeBlocks(page(name), 'sh').length > 0)

test('every page with commands is run, or stands among those that cannot be', () => {
  const ran = withCommands.filter((name) => !(name in untried))
  expect(Object.keys(untried).filter((name) => !withCommands.includes(name))).toEqual([])
  for (const [name, reasons] of Object.entries(left)) {
    expect(ran).toContain(name)
    for (const start of Object.keys(reasons))
      expect(
        shellCommands(name).filter((line) => line.startsWith(start)),
        start
      ).not.toEqual([])
  }
})

test.each(withCommands.filter((name) => !(name in untried) && name !== 'docs/first-ten-minutes.md'))(
  'the commands of %s run as they stand',
  { timeout },
  async (name) => {
    const isLeft = (line: string) => Object.keys(left[name] ?? {}).some((start) => line.startsWith(start))
    const commands = shellCommands(name).filter((line) => !isLeft(line))
    expect(commands).not.toEqual([])
    const folder = await readersFolder()
    const { url } = await startListening(['serve'])
    const { code, stderr } = await ranIn(folder, url, { sh: commands.join('\n') })
    expect(code, stderr).toBe(0)
  }
)

/** Who runs the programs of a page, by its language. */
const programs: Record<string, string> = {
  'README.md ts': 'test/docs/guides.test.ts',
  'PROTOCOL.md js': 'test/contract/protocol.test.ts',
  'PROTOCOL.md python': 'clients/python/tests/test_documents.py',
  'clients/python/README.md python': 'clients/python/tests/test_documents.py',
  'docs/clips.md js': 'test/docs/guides.test.ts',
  'docs/clips.md python': 'clients/python/tests/test_documents.py',
  'docs/first-ten-minutes.md ts': 'test/docs/guides.test.ts',
  'docs/outputs.md python': 'test/depth-files/readers.test.ts',
  'docs/streaming.md python': 'clients/python/tests/test_documents.py',
  'docs/streaming.md ts': 'test/docs/guides.test.ts'
}
/** Lines that show one argument, and need a site and its keys around them: test/api/tickets.test.ts has them. */
const fragments = ['docs/keys.md ts']

test('every program of a page is run by a test', async () => {
  const shown = [...pages].flatMap(([name, text]) => {
    const languages = [...text.matchAll(/^```(ts|js|python)\b/gm)].map(
      ([, language]) => `${name} ${language}`
    )
    return [...new Set(languages)]
  })
  expect(shown.toSorted()).toEqual([...Object.keys(programs), ...fragments].toSorted())
  for (const [program, by] of Object.entries(programs)) {
    const [name = ''] = program.split(' ')
    expect(await readFile(path.join(root, by), 'utf8'), by).toMatch(
      name === 'PROTOCOL.md' && by.endsWith('.ts') ? /codeBlocks\(.*'js'\)/ : name
    )
  }
})

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
  // One of its commands may be the default, with options of its own.
  const known = [command, ...command.commands]
    .flatMap(({ options }) => options)
    .flatMap(({ long, short }) => [long, short])
  // A dash alone is an argument: standard input or output.
  return { command, unknown: rest.filter((word) => /^-./.test(word) && !known.includes(word)) }
}

test('every command of every page is there, with the options that it is given', () => {
  const commands = [...pages.values()].flatMap(leadlineCommands)
  expect(commands.length).toBeGreaterThan(80)
  for (const words of commands) {
    if (words[0]?.startsWith('--')) continue
    const { command, unknown } = looked(words)
    expect(command.parent, words.join(' ')).not.toBeNull()
    expect(unknown, words.join(' ')).toEqual([])
  }
})
