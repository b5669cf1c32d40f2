import { execFile } from 'node:child_process'
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { startListening } from '../cli/leadline-process.ts'
import { codeBlocks } from '../contract/protocol-page.ts'
import { makeClip, run, temporaryFolder } from '../video/clip-file.ts'

const root = path.join(import.meta.dirname, '..', '..')
const shown = '127.0.0.1:8042'
const timeout = 600_000

/** A folder as a reader of the guides has it: the package is installed, and there are a photo and a video. */
async function readersFolder(): Promise<string> {
  const folder = await temporaryFolder()
  const installed = path.join(folder, 'node_modules', 'leadline')
  const bin = path.join(folder, 'bin')
  await Promise.all([installed, bin].map((one) => mkdir(one, { recursive: true })))
  const source = (...names: string[]) => path.join(root, ...names)
  await writeFile(
    path.join(installed, 'package.json'),
    JSON.stringify({ name: 'leadline', type: 'module', exports: { './client': './client.ts' } })
  )
  await writeFile(
    path.join(installed, 'client.ts'),
    `export * from '${source('src', 'client', 'index.ts')}'\n`
  )
  const tsx = source('node_modules', 'tsx', 'dist', 'loader.mjs')
  const command = [process.execPath, '--require', source('src', 'thread-pool.cjs'), '--import', tsx]
  await writeFile(
    path.join(bin, 'leadline'),
    `#!/bin/sh\nexec ${command.join(' ')} ${source('src', 'cli.ts')} "$@"\n`
  )
  await chmod(path.join(bin, 'leadline'), 0o755)
  await writeFile(path.join(folder, 'package.json'), '{ "type": "module" }')
  await makeClip(path.join(folder, 'video.mp4'), 6)
  await run('ffmpeg', [
    '-v',
    'error',
    '-i',
    path.join(folder, 'video.mp4'),
    '-frames:v',
    '1',
    path.join(folder, 'photo.jpg')
  ])
  return folder
}

interface Ended {
  code: number
  stdout: string
  stderr: string
}

/** Run as the reader would, with the server's address in place of the one on the page. */
async function ranIn(folder: string, url: string, block: { sh: string } | { ts: string }): Promise<Ended> {
  const { host, port } = new URL(url)
  const text = Object.values(block).join('').replaceAll(shown, host)
  const PATH = `${path.join(folder, 'bin')}:${process.env.PATH}`
  const env = { ...process.env, PATH, LEADLINE_PORT: port }
  const program = path.join(folder, 'program.ts')
  if ('ts' in block) await writeFile(program, text)
  const tsx = path.join(root, 'node_modules', 'tsx', 'dist', 'loader.mjs')
  const [command, args] =
    'ts' in block
      ? [process.execPath, ['--import', tsx, program]]
      : ['bash', ['-euo', 'pipefail', '-c', text]]
  return new Promise((resolve) => {
    execFile(command, args, { cwd: folder, env }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr })
    )
  })
}

async function page(name: string): Promise<string> {
  return readFile(path.join(root, 'docs', name), 'utf8')
}

test('the first ten minutes go as they are told', { timeout }, async () => {
  const text = await page('first-ten-minutes.md')
  const folder = await readersFolder()
  const [serve = '', ...commands] = codeBlocks(text, 'sh')
  expect(serve).toBe('leadline serve\n')
  const { url } = await startListening(['serve'], { LEADLINE_EXECUTOR: 'auto' })
  for (const sh of commands) {
    const { code, stderr } = await ranIn(folder, url, { sh })
    expect(code, `${sh}${stderr}`).toBe(0)
  }
  for (const file of ['depth.png', 'depth.mp4', 'beside.mp4', 'depth'])
    expect((await stat(path.join(folder, file))).size, file).toBeGreaterThan(0)
  const [program = ''] = codeBlocks(text, 'ts')
  const { stdout, stderr } = await ranIn(folder, url, { ts: program })
  expect(stdout, stderr).toMatch(/^\d+x\d+ of relative-inverse-depth, the nearest [\d.]+\n$/)
})

test('every program of the streaming guide runs as it stands', { timeout }, async () => {
  const folder = await readersFolder()
  const { url } = await startListening(['serve'])
  const says = [
    /result: \d+, drop: \d+, error: 0/,
    /12 of 12/,
    /^jpeg u8\nraw f32$/m,
    /^done$/m,
    /^(exact|rebuilt)$/m
  ]
  const programs = codeBlocks(await page('streaming.md'), 'ts')
  expect(programs).toHaveLength(says.length)
  for (const [at, ts] of programs.entries()) {
    const { code, stdout, stderr } = await ranIn(folder, url, { ts })
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(says[at]!)
  }
})
