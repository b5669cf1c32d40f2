import { execFile } from 'node:child_process'
import path from 'node:path'
import { expect, test } from 'vitest'
import { commandOf, Misuse } from '../../conformance/command.ts'
import type { ClauseResult } from '../../conformance/conform.ts'
import { conform } from '../../conformance/conform.ts'
import { lastLine, lineOf } from '../../conformance/report.ts'
import { startListening } from '../cli/leadline-process.ts'
import { testApp } from '../helpers/build-app.ts'
import { addKey } from '../helpers/keys.ts'

const timeout = 600_000

/** The command as it is typed. */
function conformance(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const command = ['run', '--silent', 'conformance', '--', ...args]
  const cwd = path.join(import.meta.dirname, '..', '..')
  return new Promise((resolve) => {
    execFile('npm', command, { cwd, maxBuffer: 2 ** 24 }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr })
    )
  })
}

test(
  'leadline serve, with the bundled network, keeps every clause that can be tried',
  { timeout },
  async () => {
    const { url } = await startListening(['serve'], { LEADLINE_EXECUTOR: 'auto' })
    const { code, stdout, stderr } = await conformance(url, '--patience', '90')
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as ClauseResult & { failed: number })
    const results = lines.slice(0, -1)
    expect(results.filter(({ outcome }) => outcome === 'failed')).toEqual([])
    const skipped = results.filter(({ outcome }) => outcome === 'skipped')
    expect(skipped.map(({ clause }) => clause)).toEqual(['C9', 'F6', 'X13'])
    expect(results.length).toBeGreaterThan(60)
    expect(lines.at(-1)).toMatchObject({ failed: 0, url: `${url.replace('http', 'ws')}/v1/stream` })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  }
)

async function tried(url: string, only: string[], { key = null as string | null, isSlow = false } = {}) {
  const target = {
    url: new URL(`${url.replace('http', 'ws')}/v1/stream`),
    key,
    model: 'tiny',
    patienceMs: 90_000
  }
  const results: ClauseResult[] = []
  for await (const result of conform(target, { only, isSlow })) results.push(result)
  return results.flatMap(({ clause, checks }) =>
    checks.map(({ outcome, detail }) => `${clause} ${outcome}${detail === undefined ? '' : `: ${detail}`}`)
  )
}

test('a server that asks for keys is tried with one, and by those who have none', async () => {
  const { listen, keys } = await testApp({ config: { auth: 'keys' } })
  const { value } = await addKey(keys)
  expect(await tried(await listen(), ['C9', 'M3'], { key: value })).toEqual(
    Array(4).fill(expect.stringMatching(/passed$/))
  )
})

test('what waits for limits of the server is tried where somebody waits', async () => {
  const limits = { configTimeoutMs: 300, idleTimeoutMs: 2000, keepAliveMs: 200, parkAfterMs: 100 }
  const { listen } = await testApp({ config: limits })
  const results = await tried(await listen(), ['C11', 'M2', 'F6', 'X13'], { isSlow: true })
  expect(results.filter((line) => !line.endsWith('passed'))).toEqual([])
  expect(results.length).toBeGreaterThan(15)
})

test('a server that cannot be reached fails every clause, says why, and the command ends with 1', async () => {
  const { code, stdout } = await conformance('ws://127.0.0.1:1', '--only', 'C4')
  const [result] = stdout.split('\n').map((line) => JSON.parse(line || '{}') as ClauseResult)
  expect(result?.checks[0]).toMatchObject({
    outcome: 'failed',
    detail: expect.stringContaining('ECONNREFUSED')
  })
  expect(code).toBe(1)
})

test.each([
  [[], /name one server/],
  [['ftp://host'], /name one server.*ftp:/],
  [['ws://a', 'ws://b'], /name one server.*ws:\/\/b/],
  [['ws://host', '--only', 'Q9'], /Q9, which is no clause.*C1/],
  [['ws://host', '--patience', 'soon'], /--patience is soon/],
  [['ws://host', '--mood', 'fine'], /--mood/]
])('%s is a misuse that is named', async (args, words) => {
  const misuse = await commandOf(args).catch((error: unknown) => error)
  expect(misuse).toBeInstanceOf(Misuse)
  expect((misuse as Misuse).message).toMatch(words)
})

test('a server may be named by its address or that of its stream, behind a path too', async () => {
  const urls = ['ws://host:8042', 'http://host:8042/', 'https://host/depth', 'wss://host/depth/v1/stream']
  const found = await Promise.all(urls.map((url) => commandOf([url])))
  expect(found.map((command) => command?.target.url.href)).toEqual([
    ...Array(2).fill('ws://host:8042/v1/stream'),
    ...Array(2).fill('wss://host/depth/v1/stream')
  ])
  expect(await commandOf(['--help'])).toBeNull()
})

test('for people a clause is one line, which says of a failure what is wrong', () => {
  const checks = [
    { says: 'a thing holds', outcome: 'passed' },
    { says: 'seq rises', outcome: 'failed', detail: 'frame 2\ncame twice' }
  ] as const
  const failed: ClauseResult = { clause: 'C5', outcome: 'failed', checks: [...checks] }
  expect(lineOf(failed)).toBe('FAIL C5   seq rises: frame 2 came twice')
  expect(lineOf({ clause: 'M12', outcome: 'passed', checks: [checks[0]] })).toBe('ok   M12  a thing holds')
  expect(lastLine({ passed: 7, failed: 1, skipped: 2 })).toMatch(/^7 clauses hold, 1 do not, 2 skipped.*X14/)
})
