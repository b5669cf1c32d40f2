import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { usualScopes } from '../../src/access/index.ts'
import type { Scope } from '../../src/access/index.ts'
import { startTestApp } from '../helpers/build-app.ts'
import type { TestApp } from '../helpers/build-app.ts'
import { addKey } from '../helpers/keys.ts'
import { openStream } from '../helpers/stream-client.ts'
import { makeClip, temporaryFolder } from '../video/clip-file.ts'

const run = promisify(execFile)
const root = path.resolve(import.meta.dirname, '../..')

/** Random requests to each operation, beside those of every boundary that its schema has. */
const numExamples = Number(process.env.LEADLINE_TEST_EXAMPLES ?? 3)
const seed = Number(process.env.LEADLINE_TEST_SEED ?? 1)

/** Where pip has put it; null where there is no package index. */
const program = await run('bash', ['scripts/python-env.sh', 'test/api/openapi'], { cwd: root }).then(
  ({ stdout }) => path.join(path.dirname(stdout.trim()), 'schemathesis'),
  () => null
)

let service: TestApp & { close(): Promise<void> }
let url: string
beforeAll(async () => {
  service = await startTestApp({
    config: { auth: 'keys', refusalsPerMinute: 1e9, maxWaitingClips: 1e6, maxLoopDelayMs: 0 }
  })
  url = await service.listen()
})
afterAll(() => service.close())

interface Report {
  complete: boolean
  operations: { selected: number; tested: number }
  test_cases: { generated: number }
  failures: unknown[]
}

/** https://schemathesis.readthedocs.io: what the document allows, what it forbids, and one call after the other. */
async function ask(headers: Record<string, string>, operations: readonly string[] = []): Promise<Report> {
  const folder = await temporaryFolder()
  await Promise.all([makeClip(path.join(folder, 'clip.mp4'), 2), makeImages(folder)])
  const report = path.join(folder, 'report.json')
  const args = [
    ...['--config-file', path.join(root, 'test/api/openapi/schemathesis.toml')],
    ...['run', path.join(root, 'openapi.yaml'), '--url', url],
    ...Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
    ...['--max-examples', String(numExamples), '--seed', String(seed)],
    ...['--report', 'json', '--report-json-path', report],
    ...operations
  ]
  const told = await run(program!, args, {
    ...{ cwd: path.join(root, 'test/api/openapi'), maxBuffer: 2 ** 28 },
    env: { ...process.env, LEADLINE_TEST_FILES: folder, PYTHONDONTWRITEBYTECODE: '1' }
  }).catch((error: { stdout: string; stderr: string }) => error)
  const found = await readFile(report, 'utf8').then(
    (text) => JSON.parse(text) as Report,
    () => null
  )
  if (found === null || found.failures.length > 0) throw new Error(told.stdout + told.stderr)
  return found
}

async function makeImages(folder: string): Promise<void> {
  const picture = sharp({ create: { width: 8, height: 6, channels: 3, background: '#a73' } })
  for (const format of ['jpeg', 'png', 'webp', 'avif', 'tiff', 'gif'] as const)
    await picture
      .clone()
      .toFormat(format)
      .toFile(path.join(folder, `image.${format}`))
}

async function keyWith(scopes: readonly Scope[]): Promise<Record<string, string>> {
  const { value } = await addKey(service.keys, { scopes })
  // Written so, it is found where it is to be left out.
  return { Authorization: `Bearer ${value}` }
}

/** What a worker is asked to do ends what the others are asked. */
const ofWorkers = ['--include-tag', 'workers']
const ofOthers = ['--exclude-tag', 'workers']

test.skipIf(program === null).each<[string, () => Promise<Record<string, string>>, readonly string[]]>([
  ['a key', () => keyWith([...usualScopes, 'metrics']), ofOthers],
  // Nothing comes back that a next call could begin with.
  ['no key', async () => ({}), ['--phases', 'coverage,fuzzing']],
  ['the key of an admin', () => keyWith(['admin']), ofWorkers]
])(
  'with %s every answer is one that the OpenAPI document has, and none is a fault of the server',
  async (_, headers, operations) => {
    const shown = await headers()
    if (operations === ofOthers) await openStream(url, { resumable: true }, { headers: shown })
    const { complete, operations: seen, test_cases: cases } = await ask(shown, operations)
    if ('LEADLINE_TEST_EXAMPLES' in process.env) process.stdout.write(`${cases.generated} requests\n`)
    expect(complete).toBe(true)
    expect(seen.tested).toBe(seen.selected)
    expect(cases.generated).toBeGreaterThan(seen.selected * numExamples)
    // What is unexpected is in the log alone.
    expect(service.logged.filter(({ level }) => Number(level) >= 50)).toEqual([])
  },
  3_600_000
)
