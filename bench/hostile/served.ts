import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { FolderKeyStore } from '../../src/access/folder/folder-key-store.ts'
import { mintKey } from '../../src/access/index.ts'
import type { KeyLimits, Scope } from '../../src/access/index.ts'

/** What the server says of its own process, since it was asked before. */
export interface OwnFigures {
  /** The most that its event loop was late, and the 99th of a hundred, in milliseconds. */
  loopMaxMs: number
  loopP99Ms: number
  /** In which it collected garbage. */
  gcMs: number
  heapBytes: number
  /** Of V8's, outside its heap. */
  externalBytes: number
}

/** A server in a process of its own, asking for keys, on a port and a folder of its own. */
export class Served {
  readonly url: string
  readonly pid: number
  readonly #keys: FolderKeyStore
  readonly #stop: () => Promise<void>
  readonly #operator: string
  #gcSeconds = 0

  static async start(): Promise<Served> {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'leadline-hostile-'))
    const keys = new FolderKeyStore(path.join(folder, 'keys'))
    const operator = await add(keys, 'operator', ['metrics'], {})
    const server = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...settings, LEADLINE_DATA_DIR: folder }
    })
    process.on('exit', () => server.kill('SIGKILL'))
    const url = await addressOf(server.stdout)
    return new Served({ url, pid: server.pid!, keys, operator }, async () => {
      server.kill('SIGTERM')
      await once(server, 'exit')
      await rm(folder, { recursive: true })
    })
  }

  private constructor(
    { url, pid, keys, operator }: { url: string; pid: number; keys: FolderKeyStore; operator: string },
    stop: () => Promise<void>
  ) {
    this.url = url
    this.pid = pid
    this.#keys = keys
    this.#operator = operator
    this.#stop = stop
  }

  /** A key for streams and images. */
  keyWith(name: string, limits: KeyLimits): Promise<string> {
    return add(this.#keys, name, ['stream', 'depth'], limits)
  }

  async figures(): Promise<OwnFigures> {
    const headers = { authorization: `Bearer ${this.#operator}` }
    const text = await (await fetch(`${this.url}/metrics`, { headers })).text()
    const gcSeconds = sumOf(text, 'nodejs_gc_duration_seconds_sum')
    const gcMs = (gcSeconds - this.#gcSeconds) * 1000
    this.#gcSeconds = gcSeconds
    return {
      loopMaxMs: sumOf(text, 'nodejs_eventloop_lag_max_seconds') * 1000,
      loopP99Ms: sumOf(text, 'nodejs_eventloop_lag_p99_seconds') * 1000,
      gcMs,
      heapBytes: sumOf(text, 'nodejs_heap_size_used_bytes'),
      externalBytes: sumOf(text, 'nodejs_external_memory_bytes')
    }
  }

  stop(): Promise<void> {
    return this.#stop()
  }
}

const args = [
  ...['--require', './src/thread-pool.cjs', '--import', 'tsx', 'src/cli.ts', 'serve'],
  ...['--port', '0', '--host', '127.0.0.1']
]
const settings = { LEADLINE_AUTH: 'keys', LEADLINE_LOG_LEVEL: 'error', LEADLINE_THREADS: '1' }

async function add(keys: FolderKeyStore, name: string, scopes: Scope[], limits: KeyLimits): Promise<string> {
  const { key, value } = mintKey({ name, scopes, limits, expiresAtMs: null }, Date.now())
  await keys.add(key)
  return value
}

async function addressOf(output: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: output })) {
    const address = /http:\/\/[\d.]+:\d+/.exec(line)?.[0]
    if (address !== undefined) return address
  }
  throw new Error('the server did not start')
}

/** Of all series of a metric in Prometheus' text format. */
function sumOf(text: string, name: string): number {
  const values = text.matchAll(new RegExp(`^${name}(?:{[^}]*})? (.+)$`, 'gm'))
  return [...values].reduce((sum, [, value]) => sum + Number(value), 0)
}
