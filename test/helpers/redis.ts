import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { freePort } from './free-port.ts'

/** A Redis of one's own: no persistence, a port nobody else has, ended by whoever started it. */
export interface RedisServer {
  readonly url: string
  readonly port: number
  /** As a crash: SIGKILL. */
  kill(): Promise<void>
  /** Stop answering without closing any connection, and go on. */
  freeze(): void
  thaw(): void
  /** Again on the same port, empty, or with what SAVE wrote last. */
  restart(options?: { withData?: boolean }): Promise<void>
  stop(): Promise<void>
}

/** `settings` are arguments of redis-server. */
export async function startRedis(settings: readonly string[] = []): Promise<RedisServer> {
  // Replication writes a file, also where nothing is to be saved.
  const folder = await mkdtemp(path.join(os.tmpdir(), 'leadline-redis-'))
  let { child, port } = await launch(0, folder, settings)
  const end = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    kill: end,
    stop: async () => {
      await end()
      await rm(folder, { recursive: true, force: true })
    },
    freeze: () => child.kill('SIGSTOP'),
    thaw: () => child.kill('SIGCONT'),
    restart: async ({ withData = false } = {}) => {
      if (!withData) await rm(path.join(folder, 'dump.rdb'), { force: true })
      ;({ child, port } = await launch(port, folder, settings))
    }
  }
}

/** Keys of one test in a Redis that several tests share. */
export function randomPrefix(): string {
  return `test-${randomBytes(6).toString('hex')}`
}

async function launch(
  wanted: number,
  folder: string,
  settings: readonly string[]
): Promise<{ child: ChildProcess; port: number }> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const port = wanted || (await freePort())
    const child = await listen(port, folder, settings)
    if (child) return { child, port }
    if (wanted) await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('redis-server could not be started: is it installed?')
}

/** Another process may take the port between our look and Redis's bind; then null, and the caller tries another. */
async function listen(
  port: number,
  folder: string,
  settings: readonly string[]
): Promise<ChildProcess | null> {
  const own = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder]
  const child = spawn('redis-server', [...own, '--save', '', '--appendonly', 'no', ...settings], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  for await (const line of createInterface({ input: child.stdout! })) {
    if (line.includes('Ready to accept connections')) {
      child.stdout!.resume()
      return child
    }
  }
  return null
}
