import { execFile, spawn } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { freePort } from './free-port.ts'

const root = path.resolve(import.meta.dirname, '../..')

/** The server that pip has put there; null where there is no package index. */
const program = await promisify(execFile)('bash', ['scripts/python-env.sh', 'test/clips/s3'], {
  cwd: root
}).then(
  ({ stdout }) => path.join(path.dirname(stdout.trim()), 'moto_server'),
  () => null
)

export const hasBucketServer = program !== null

/** A server that speaks S3, with one bucket. Ended by whoever started it. */
export async function startBucketServer(): Promise<{ url: string; stop: () => void }> {
  const port = await freePort()
  const child = spawn(program ?? '', ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' })
  const url = `http://127.0.0.1:${port}/clips`
  for (;;) {
    const made = await fetch(url, { method: 'PUT' }).catch(() => null)
    if (made?.ok === true) return { url, stop: () => void child.kill('SIGKILL') }
    if (child.exitCode !== null) throw new Error('moto_server did not start')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
