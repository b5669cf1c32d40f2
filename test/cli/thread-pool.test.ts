import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const probe = path.join(root, 'test/cli/blocked-pool.mjs')
const expected = os.availableParallelism() + 4

async function threadsOf(command: string, cwd = root): Promise<string> {
  const { UV_THREADPOOL_SIZE: _, ...env } = process.env
  const { stdout } = await promisify(execFile)('sh', ['-c', command], { cwd, env, timeout: 90_000 })
  return stdout.trim()
}

async function script(file: string, pattern: RegExp): Promise<string> {
  const [command = ''] = pattern.exec(await readFile(path.join(root, file), 'utf8')) ?? []
  return command
}

test('leadline from source gives libuv more than its four threads, before it starts them', async () => {
  const { scripts } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as {
    scripts: { leadline: string }
  }
  expect(scripts.leadline).toContain('src/cli.ts')
  expect(await threadsOf(scripts.leadline.replace('src/cli.ts', probe))).toBe(`threads: ${expected}`)
})

test('so does the demo', async () => {
  const command = await script('demo', /^exec node .*$/m)
  expect(command).toContain('"$here/src/cli.ts"')
  const here = `here='${root}'; set --; `
  expect(await threadsOf(here + command.replace('"$here/src/cli.ts"', `'${probe}'`))).toBe(
    `threads: ${expected}`
  )
})

test('so does the installed command, and whoever sets a number has that', async () => {
  const { bin } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as {
    bin: { leadline: string }
  }
  const folder = await mkdtemp(path.join(os.tmpdir(), 'leadline-bin-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const name = path.basename(bin.leadline)
  for (const file of [name, 'thread-pool.cjs'])
    await copyFile(path.join(root, 'src', file), path.join(folder, file))
  await copyFile(probe, path.join(folder, 'cli.js'))
  await writeFile(path.join(folder, 'package.json'), '{"type":"module"}')
  expect(await threadsOf(`exec node ${name}`, folder)).toBe(`threads: ${expected}`)
  expect(await threadsOf(`UV_THREADPOOL_SIZE=7 exec node ${name}`, folder)).toBe('threads: 7')
})
