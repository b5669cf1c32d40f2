import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('../sessions/redis/worker-process.ts', import.meta.url))

/** A worker in a process of its own, registered. */
export async function forkWorker(redisUrl: string, keyPrefix: string): Promise<ChildProcess> {
  const child = fork(script, [], {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, REDIS_URL: redisUrl, LEADLINE_KEY_PREFIX: keyPrefix }
  })
  await once(child, 'message')
  return child
}

export async function killWorker(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}
