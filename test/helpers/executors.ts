import { run } from '../video/clip-file.ts'

/** Child processes of `pid` that run an executor. */
export async function executorsOf(pid: number | undefined): Promise<number[]> {
  // ps fails when there is no child at all.
  const { stdout } = await run('ps', ['-o', 'pid,args', '--ppid', String(pid)]).catch(() => ({ stdout: '' }))
  return stdout
    .split('\n')
    .filter((line) => /executors\/process\/child\.[jt]s/.test(line))
    .map((line) => Number.parseInt(line, 10))
}
