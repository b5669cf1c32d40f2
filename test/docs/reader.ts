import { execFile } from 'node:child_process'
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { makeClip, run, temporaryFolder } from '../video/clip-file.ts'
import { root } from './pages.ts'

const source = (...names: string[]) => path.join(root, ...names)
const tsx = source('node_modules', 'tsx', 'dist', 'loader.mjs')

/** A folder as a reader of the guides has it: the package is installed, and there are a photo and videos. */
export async function readersFolder(): Promise<string> {
  const folder = await temporaryFolder()
  const installed = path.join(folder, 'node_modules', 'leadline')
  const bin = path.join(folder, 'bin')
  await Promise.all([installed, bin].map((one) => mkdir(one, { recursive: true })))
  const exports = { './client': './client.ts', './clips': './clips.ts' }
  await writeFile(
    path.join(installed, 'package.json'),
    JSON.stringify({ name: 'leadline', type: 'module', exports })
  )
  for (const [name, door] of [
    ['client', source('src', 'client', 'index.ts')],
    ['clips', source('src', 'client', 'clips', 'index.ts')]
  ] as const)
    await writeFile(path.join(installed, `${name}.ts`), `export * from '${door}'\n`)
  await symlink(source('node_modules', 'tus-js-client'), path.join(folder, 'node_modules', 'tus-js-client'))
  const command = [process.execPath, '--require', source('src', 'thread-pool.cjs'), '--import', tsx]
  await writeFile(
    path.join(bin, 'leadline'),
    `#!/bin/sh\nexec ${command.join(' ')} ${source('src', 'cli.ts')} "$@"\n`
  )
  await chmod(path.join(bin, 'leadline'), 0o755)
  await writeFile(path.join(folder, 'package.json'), '{ "type": "module" }')
  const video = await makeClip(path.join(folder, 'video.mp4'), 6)
  await makeClip(path.join(folder, 'walk.mp4'), 6)
  await run('ffmpeg', ['-v', 'error', '-i', video, '-frames:v', '1', path.join(folder, 'photo.jpg')])
  return folder
}

export interface Ended {
  code: number
  stdout: string
  stderr: string
}

/**
 * Run as the reader would, with the server's address in place of those on the pages, and what belongs to the user, such as keys,
 * in the folder.
 */
export async function ranIn(
  folder: string,
  url: string,
  block: { sh: string } | { ts: string }
): Promise<Ended> {
  const { host, port } = new URL(url)
  const text = Object.values(block)
    .join('')
    .replaceAll(/127\.0\.0\.1:8042|\bhost:8042/g, host)
  const { REDIS_URL: _, ...inherited } = process.env
  const PATH = `${path.join(folder, 'bin')}:${process.env.PATH}`
  const own = { LEADLINE_PORT: port, LEADLINE_DATA_DIR: path.join(folder, 'data') }
  const env = { ...inherited, ...own, PATH }
  const program = path.join(folder, 'program.ts')
  if ('ts' in block) await writeFile(program, text)
  const [command, args] =
    'ts' in block
      ? [process.execPath, ['--import', tsx, program]]
      : ['bash', ['-euxo', 'pipefail', '-c', text]]
  return new Promise((resolve) => {
    execFile(command, args, { cwd: folder, env }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr })
    )
  })
}
