import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import { freePort } from './free-port.ts'

export interface Nginx {
  url: string
  /** Of the master process. */
  pid: number
  reload(): void
}

/** An nginx of one's own with these `server` blocks, of which one listens on port 80: here on a free one. */
export async function startNginx(servers: string): Promise<Nginx> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'leadline-nginx-'))
  const port = await freePort()
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${name};`
  )
  const config = `
    daemon off; pid nginx.pid; error_log stderr crit; worker_processes 1; events {}
    ${process.getuid?.() === 0 ? 'user root;' : ''}
    http { access_log off; ${temporary.join(' ')} ${servers.replace('listen 80;', `listen 127.0.0.1:${port};`)} }`
  await writeFile(path.join(folder, 'nginx.conf'), config)
  const child = spawn('nginx', ['-p', folder, '-c', 'nginx.conf', '-e', 'stderr'], {
    // Where Debian has it, and not every user's PATH.
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
    stdio: ['ignore', 'ignore', 'inherit']
  })
  onTestFinished(async () => {
    await stopped(child)
    await rm(folder, { recursive: true, force: true })
  })
  const url = `http://127.0.0.1:${port}`
  await answering(url, child)
  return { url, pid: child.pid ?? 0, reload: () => void child.kill('SIGHUP') }
}

async function answering(url: string, child: ChildProcess): Promise<void> {
  const failed = once(child, 'error').then(([error]) => {
    throw new Error('nginx could not be started: is it installed?', { cause: error })
  })
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`nginx ended with ${code}`)
  })
  const isThere = async () => {
    while (
      !(await fetch(url).then(
        () => true,
        () => false
      ))
    )
      await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await Promise.race([isThere(), failed, ended])
  failed.catch(() => undefined)
  ended.catch(() => undefined)
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await exited
}
