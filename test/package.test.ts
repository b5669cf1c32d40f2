import { readdirSync, readFileSync } from 'node:fs'
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { lastLine } from './cli/leadline-process.ts'
import { makeClip, run, temporaryFolder } from './video/clip-file.ts'

const root = path.dirname(import.meta.dirname)
const lock = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')) as {
  packages: Record<string, { hasInstallScript?: boolean; dev?: boolean; engines?: { node?: string } }>
}
/** Where an installation cannot ask for what it lacks, none can be tried. */
const hasRegistry = await run('npm', ['view', 'onnxruntime-node@1.30.0', 'version', '--prefer-online'], {
  cwd: root,
  timeout: 60_000
}).then(
  () => true,
  () => false
)
const timeout = 600_000

let folder: string
let packed: string
let files: string[]
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'leadline-test-'))
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: root })
  const [tarball] = JSON.parse(stdout.slice(stdout.indexOf('['))) as [
    { filename: string; files: { path: string }[] }
  ]
  packed = path.join(folder, tarball.filename)
  files = tarball.files.map((file) => file.path)
}, timeout)
afterAll(() => rm(folder, { recursive: true, force: true }))

const pages = readdirSync(path.join(root, 'docs'))
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`)

test('the package holds what runs and what describes it, and nothing else', () => {
  const beside = files.filter((file) => !/^dist\/(.*\.(c?js|lua)|sdk\/types\/.*\.d\.ts)$/.test(file))
  expect(beside.toSorted()).toEqual(
    [
      '.env.example',
      'LICENSE',
      'PROTOCOL.md',
      'README.md',
      'SECURITY.md',
      ...pages,
      'asyncapi.yaml',
      'dist/web/icon.svg',
      'dist/web/index.html',
      'dist/web/page.css',
      'dist/web/third-party.txt',
      'models/leadline-nano/manifest.json',
      'models/leadline-nano/model.safetensors',
      'openapi.yaml',
      'package.json',
      'scripts/skip-cuda-download.mjs'
    ].toSorted()
  )
  expect(files).toContain('dist/leadline.cjs')
  expect(files).toContain('dist/cli.js')
  expect(files).toContain('dist/sdk/client.js')
  expect(files).toContain('dist/sdk/clips.js')
  expect(files.some((file) => /^dist\/sessions\/redis\/scripts\/openSession-\d+\.lua$/.test(file))).toBe(true)
})

/** As the README says. */
const inRepositoryAlone =
  /^(docs\/decisions|docs\/.*\.(jpg|svg)$|CONTRIBUTING\.md$|clients\/python\/|infra\/)/

test('a page that the programs name is in the package, and so is what its pages lead to', async () => {
  const named = new Map<string, string>()
  for (const file of files.filter((one) => one.startsWith('dist/')))
    for (const [name] of (await readFile(path.join(root, file), 'utf8')).matchAll(
      /\b(docs\/[\w-]+|[A-Z]{4,})\.md\b/g
    ))
      named.set(name, file)
  for (const page of files.filter((one) => one.endsWith('.md')))
    for (const [, link = ''] of (await readFile(path.join(root, page), 'utf8')).matchAll(/\]\(([^)\s#]+)/g))
      if (!/^\w+:/.test(link)) named.set(path.posix.join(path.posix.dirname(page), link), page)
  expect(named.size).toBeGreaterThan(30)
  const missing = [...named].filter(([name]) => !files.includes(name) && !inRepositoryAlone.test(name))
  expect(missing).toEqual([])
})

test('no package of the lock file runs a script when it is installed', () => {
  const running = Object.entries(lock.packages).filter(([, entry]) => entry.hasInstallScript === true)
  expect(running.map(([name]) => name)).toEqual([])
})

test.skipIf(!hasRegistry)(
  'installed by a stranger, on its own and by the letter of every engine, it streams its demo',
  { timeout },
  async () => {
    const home = await temporaryFolder()
    const cwd = path.join(home, 'empty')
    await mkdir(cwd)
    const env = { ...process.env, npm_config_ignore_scripts: 'false' }
    await run('npm', ['install', packed, '--engine-strict', '--prefer-offline', '--no-audit', '--no-fund'], {
      ...{ cwd, env }
    })
    // On x64 its script would have fetched the CUDA libraries to here, or have failed.
    const cuda = `onnxruntime-node/bin/napi-v6/linux/${process.arch}/libonnxruntime_providers_cuda.so`
    await expect(access(path.join(cwd, 'node_modules', cuda))).rejects.toMatchObject({ code: 'ENOENT' })
    const clip = await makeClip(path.join(home, 'walk.mp4'), 6)
    const { stdout } = await run('npx', ['leadline', 'demo', '--video', clip], { cwd, env })
    expect(lastLine(stdout)).toMatchObject({ frames: 6, video: 'out/walk.side-by-side.mp4' })
    await expectClient(cwd)
  }
)

/** What someone who writes their own program meets first. */
const program = `import { connectStream, type DepthStream, LeadlineError } from 'leadline/client'
import { type Clip, ClipsClient, LeadlineError as ClipError } from 'leadline/clips'
async function open(): Promise<DepthStream> {
  return connectStream({ url: 'ws://127.0.0.1:1', config: { delivery: 'lossless' } })
}
try {
  await open()
} catch (error) {
  if (error instanceof LeadlineError) console.log(error.code)
}
async function send(video: Blob): Promise<Clip> {
  return new ClipsClient({ url: 'http://127.0.0.1:1' }).create(video, { results: ['npz'] })
}
try {
  await send(new Blob(['x']))
} catch (error) {
  if (error instanceof ClipError) console.log(error.code)
}
`

/** It is imported by name, has types for whoever bundles and whoever does not, and reaches for a server. */
async function expectClient(cwd: string): Promise<void> {
  await writeFile(path.join(cwd, 'program.mts'), program)
  const tsc = path.join(root, 'node_modules/.bin/tsc')
  const options = ['--strict', '--target', 'es2023', '--lib', 'es2023,dom,dom.asynciterable']
  await run(
    tsc,
    [...options, '--module', 'esnext', '--moduleResolution', 'bundler', '--noEmit', 'program.mts'],
    {
      cwd
    }
  )
  await run(tsc, [...options, '--module', 'nodenext', 'program.mts'], { cwd })
  const { stdout } = await run('node', ['program.mjs'], { cwd })
  expect(stdout.trim()).toBe('CONNECTION_LOST\nCONNECTION_LOST')
}

test.skipIf(!hasRegistry)('it is installed without any script, too', { timeout }, async () => {
  const cwd = await temporaryFolder()
  const args = ['install', packed, '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund']
  await run('npm', args, { cwd })
  const { stdout } = await run('npx', ['leadline', 'models', 'list', '--json'], { cwd })
  expect(lastLine(stdout)).toMatchObject({ name: 'leadline-nano', isServed: true })
  const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as {
    version: string
  }
  expect((await run('npx', ['leadline', '--version'], { cwd })).stdout.trim()).toBe(version)
})
