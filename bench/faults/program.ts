import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, rm, stat, symlink } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../..', import.meta.url))
const ownFolders: ReadonlySet<string> = new Set(['dist', '.git'])

/** The command as it is installed. */
export interface Program {
  /** Arguments of `node` before those of the command. */
  readonly args: readonly string[]
  /** Once none of its processes runs any more. */
  remove(): Promise<void>
}

/**
 * The sources of this clone as JavaScript, in a folder that looks like an installation. A process starts from it with half of
 * the CPU time that it takes from TypeScript, and those that are killed again and again are started again and again.
 */
export async function makeProgram(): Promise<Program> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'leadline-program-'))
  const dist = path.join(folder, 'dist')
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc')
  const project = path.join(root, 'tsconfig.build.json')
  await promisify(execFile)(process.execPath, [tsc, '-p', project, '--noCheck', '--outDir', dist])
  await cp(path.join(root, 'src'), dist, {
    recursive: true,
    filter: async (name) => (await stat(name)).isDirectory() || !/\.[cm]?tsx?$/.test(name)
  })
  // What it finds beside itself, its packages among it.
  for (const name of await readdir(root))
    if (!ownFolders.has(name)) await symlink(path.join(root, name), path.join(folder, name))
  return {
    args: [path.join(dist, 'leadline.cjs')],
    remove: () => rm(folder, { recursive: true, force: true })
  }
}
