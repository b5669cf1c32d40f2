import { chmod, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { run, temporaryFolder } from '../video/clip-file.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const demo = path.join(root, 'demo')

/** A folder to be the whole PATH, with these programs in it. */
async function pathOf(programs: Record<string, string>): Promise<string> {
  const folder = await temporaryFolder()
  for (const [name, target] of Object.entries(programs)) {
    if (target.startsWith('/')) await symlink(target, path.join(folder, name))
    else {
      await writeFile(path.join(folder, name), `#!/bin/sh\n${target}\n`)
      await chmod(path.join(folder, name), 0o755)
    }
  }
  return folder
}

/** What it says on stderr when it gives up. */
async function failure(PATH: string): Promise<string> {
  const ended = await run('/bin/sh', [demo], { env: { PATH } }).catch((error: unknown) => error)
  expect(ended).toMatchObject({ code: 1 })
  return (ended as { stderr: string }).stderr
}

test('without Node.js the demo says which version to install', async () => {
  expect(await failure(await pathOf({ sh: '/bin/sh', dirname: '/usr/bin/dirname' }))).toMatch(
    /^Node\.js is missing; install version 20\.19 or later/
  )
})

test('with an old Node.js it names the one that is there', async () => {
  const node = 'case "$1" in --version) echo v18.0.0 ;; *) exit 1 ;; esac'
  expect(await failure(await pathOf({ node, sh: '/bin/sh', dirname: '/usr/bin/dirname' }))).toMatch(
    /^Node\.js v18\.0\.0 is too old/
  )
})

test('without ffmpeg and without a way to install it, it says what to do', async () => {
  const programs = {
    node: process.execPath,
    sh: '/bin/sh',
    dirname: '/usr/bin/dirname',
    find: '/usr/bin/find'
  }
  expect(await failure(await pathOf(programs))).toMatch(
    /^Missing: ffmpeg\. Install it with your system's package manager/
  )
  const withApt = { ...programs, 'apt-get': 'exit 1', id: 'echo 1000' }
  expect(await failure(await pathOf(withApt))).toBe(
    'Missing: ffmpeg. Install as root, with: apt-get install ffmpeg\n'
  )
  expect(await failure(await pathOf({ ...withApt, sudo: 'exit 1' }))).toBe(
    'Missing: ffmpeg. Install with: sudo apt-get install ffmpeg\n'
  )
})

test('what keeps apt-get from installing is said in a few lines, however many packages it keeps out', async () => {
  const tools = ['mktemp', 'rm', 'grep', 'sed', 'env', 'find'].map((name) => [name, `/usr/bin/${name}`])
  const apt =
    'case "$*" in *install*) for i in 1 2 3 4; do echo "E: Failed to fetch $i" >&2; done; exit 100 ;; esac'
  const programs = { node: process.execPath, sh: '/bin/sh', dirname: '/usr/bin/dirname', id: 'echo 0' }
  const PATH = await pathOf({ ...programs, ...Object.fromEntries(tools), 'apt-get': apt })
  expect(await failure(PATH)).toBe(
    'Installing ffmpeg (once) ...\n' +
      'E: Failed to fetch 1\nE: Failed to fetch 2\n...\n' +
      'apt-get could not install ffmpeg. Once its mirror is in reach, run this again\n'
  )
})

test('the first command of a fresh clone installs the npm packages, and the second does not', async () => {
  const clone = await temporaryFolder()
  await mkdir(path.join(clone, 'scripts'))
  await cp(path.join(root, 'scripts/prepare.sh'), path.join(clone, 'scripts/prepare.sh'))
  await writeFile(path.join(clone, 'scripts/page-at-hand.mjs'), "console.log('page')")
  const { scripts } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  const npm = 'echo "npm $1"; mkdir node_modules; : > node_modules/.package-lock.json'
  const tools = ['dirname', 'mkdir', 'find'].map((name) => [name, `/usr/bin/${name}`])
  const programs = { node: process.execPath, sh: '/bin/sh', npm, ...Object.fromEntries(tools) }
  const env = { PATH: await pathOf(programs) }
  const first = () => run('/bin/sh', ['-c', scripts['preleadline']!], { cwd: clone, env })
  expect(await first()).toEqual({
    stdout: 'page\n',
    stderr: 'Installing the npm packages (once) ...\nnpm ci\n'
  })
  expect(await first()).toEqual({ stdout: 'page\n', stderr: '' })
})
