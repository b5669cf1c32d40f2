import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import path from 'node:path'
import { Registry } from 'prom-client'
import { expect, onTestFinished, test } from 'vitest'
import { serveMetrics } from '../../src/metering/metrics.ts'
import { freePort } from '../helpers/free-port.ts'
import { run, temporaryFolder } from '../video/clip-file.ts'
import { infra, readInfra, root } from './files.ts'

const dockerfile = readInfra('image/Dockerfile').replaceAll('\\\n', '')
/** What is copied out of the repository, by stage. */
const [built = [], shipped = []] = dockerfile
  .split(/^FROM .*$/m)
  .slice(1)
  .map((stage) =>
    [...stage.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, sources = '']) => sources.split(' '))
  )
const { platform, arch } = process

test('the image has every file that the package has, and its context every file that is copied', () => {
  const { files, scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    files: string[]
    scripts: { build: string }
  }
  // Made in the image, and used by npm alone.
  const elsewhere = ['dist', 'scripts/skip-cuda-download.mjs']
  const packed = files.filter((file) => !file.startsWith('!') && !elsewhere.includes(file))
  expect(shipped).toEqual(expect.arrayContaining(packed))

  const context = readInfra('image/Dockerfile.dockerignore')
    .split('\n')
    .filter((line) => line.startsWith('!'))
  const isIn = (patterns: readonly string[], file: string) =>
    patterns.some((pattern) => {
      const [start = '', end] = pattern.split('*')
      if (end === undefined) return file === pattern || file.startsWith(`${pattern}/`)
      return file.startsWith(start) && file.endsWith(end)
    })
  for (const file of scripts.build.match(/\S+\.(json|mjs|ts)\b/g) ?? [])
    expect(isIn(built, file), file).toBe(true)
  for (const source of [...built, ...shipped])
    expect(
      isIn(
        context.map((line) => line.slice(1)),
        source
      ),
      source
    ).toBe(true)
})

test('the image is tried with the options that its page tells', () => {
  const page = readFileSync(path.join(root, 'docs/selfhost.md'), 'utf8')
  const ofRun = (text: string) => {
    const [, options = ''] = /run -d --name (.+) leadline\b/.exec(text.replaceAll('\\\n', '')) ?? []
    const where = new Set(['--name', '-v', '-p'])
    const words = options.split(/\s+/).slice(1)
    return words.filter((word, at) => !where.has(word) && !where.has(words[at - 1] ?? ''))
  }
  const told = ofRun(page)
  expect(told).toContain('--read-only')
  expect(ofRun(readInfra('image/try.sh'))).toEqual([...told, '"${run_options[@]}"'])
})

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const isLeaf = ({ parentPath, name }: (typeof entries)[number]) =>
    !entries.some((entry) => entry.parentPath === path.join(parentPath, name))
  return entries
    .filter((entry) => entry.isDirectory() && isLeaf(entry))
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .toSorted()
}

test('binaries of other platforms are pruned, and a package that is laid out anew is a failure', async () => {
  const modules = await temporaryFolder()
  const prune = () => run(process.execPath, [path.join(infra, 'image/prune-platforms.mjs'), modules])
  const bindings = 'onnxruntime-node/bin/napi-v6'
  const kept = [`@koromix/koffi-${platform}-${arch}/${platform}_${arch}`, `${bindings}/${platform}/${arch}`]
  const others = [
    ...[`@koromix/koffi-${platform}-${arch}/musl_${arch}`, `${bindings}/${platform}/mips`],
    ...[`${bindings}/plan9/x64`, `${bindings}/plan9/arm64`]
  ]
  for (const folder of [...kept, ...others]) await mkdir(path.join(modules, folder), { recursive: true })
  await prune()
  expect(await foldersIn(modules)).toEqual(kept)

  await expect(
    run(process.execPath, [path.join(infra, 'image/prune-platforms.mjs'), await temporaryFolder()])
  ).rejects.toMatchObject({ stderr: expect.stringContaining('onnxruntime-node') })
})

test('the packages that are installed are laid out as the pruning expects', () => {
  for (const folder of [
    `onnxruntime-node/bin/napi-v6/${platform}/${arch}`,
    `@koromix/koffi-${platform}-${arch}/${platform}_${arch}`
  ])
    expect(existsSync(path.join(root, 'node_modules', folder)), folder).toBe(true)
})

/** A port on which somebody says whether he lives. */
async function service(isAlive: boolean): Promise<string> {
  const server = await serveMetrics({
    ...{ registry: new Registry(), host: '127.0.0.1', port: 0, missing: () => [] },
    isAlive: () => isAlive
  })
  onTestFinished(() => server.close())
  return new URL(server.url).port
}

test('a container is healthy when whoever listens in it lives, gateway or worker', async () => {
  const [alive, ill, nobody] = [await service(true), await service(false), String(await freePort())]
  const statusOf = (LEADLINE_PORT: string, LEADLINE_METRICS_PORT: string) =>
    run(process.execPath, [path.join(infra, 'image/healthcheck.mjs')], {
      env: { ...process.env, LEADLINE_PORT, LEADLINE_METRICS_PORT }
    }).then(
      () => 0,
      (error: { code: number }) => error.code
    )
  expect(await statusOf(alive, nobody)).toBe(0)
  expect(await statusOf(nobody, alive)).toBe(0)
  expect(await statusOf(alive, alive)).toBe(0)
  expect(await statusOf(alive, ill)).toBe(1)
  expect(await statusOf(ill, nobody)).toBe(1)
  expect(await statusOf(nobody, nobody)).toBe(1)
})
