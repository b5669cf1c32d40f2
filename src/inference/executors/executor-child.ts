import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Logger } from 'pino'
import { LeadlineError } from '../../errors.ts'
import type { ExecutorCaps } from '../executor.ts'
import type { ExecutorSpec, Operation, Reply, Request } from './child-messages.ts'

export interface ExecutorChildOptions {
  spec: ExecutorSpec
  log: Logger
  /** How long the process may think about one request before it counts as hung, in milliseconds. */
  patienceMs: (operation: Operation | 'start') => number
  /** Called once, unless the end was asked for by `stop`. */
  onDeath: (failure: LeadlineError) => void
}

interface PendingCall {
  operation: Operation | 'start'
  resolve: (value: unknown) => void
  reject: (failure: LeadlineError) => void
}

/** One life of the executor process. Requests are answered in order; the end of the process fails all that wait. */
export class ExecutorChild {
  readonly ready: Promise<ExecutorCaps>
  readonly #options: ExecutorChildOptions
  readonly #process: ChildProcess
  readonly #exited: Promise<void>
  /** In the order the process will answer. */
  readonly #pending = new Map<number, PendingCall>()
  #lastId = 0
  #watchdog: NodeJS.Timeout | undefined
  #stopping = false
  #dead = false

  constructor(options: ExecutorChildOptions) {
    this.#options = options
    this.#process = forkChild(options.spec)
    this.#exited = new Promise((resolve) => {
      this.#process.once('exit', resolve)
      if (this.#process.pid === undefined) resolve()
    })
    this.ready = this.#wait(0, 'start') as Promise<ExecutorCaps>
    this.ready.catch(() => undefined)
    this.#process.on('message', (reply: Reply) => this.#settle(reply))
    this.#process.on('exit', (code, signal) => this.#die(`ended with ${signal ?? `exit code ${code}`}`))
    this.#process.on('error', (error) => this.#die(`could not be reached: ${error.message}`))
    logLines(this.#process.stdout, (line) => options.log.info({ pid: this.pid }, line))
    logLines(this.#process.stderr, (line) => options.log.warn({ pid: this.pid }, line))
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  get dead(): boolean {
    return this.#dead
  }

  /** Rejects with the named failure of the executor, or with EXECUTOR_FAILED when the process ends first. */
  call(operation: Operation, args: Request['args']): Promise<unknown> {
    if (this.#dead)
      return Promise.reject(new LeadlineError('EXECUTOR_FAILED', 'The executor process is gone'))
    const id = ++this.#lastId
    const answer = this.#wait(id, operation)
    this.#process.send({ id, operation, args })
    return answer
  }

  /** Let the executor close, then the process end; killed when it does not within `graceMs`. Twice without harm. */
  async stop(graceMs: number): Promise<void> {
    if (!this.#stopping && !this.#dead) {
      this.#stopping = true
      const killer = setTimeout(() => this.#process.kill('SIGKILL'), graceMs)
      await this.call('close', []).catch(() => undefined)
      if (this.#process.connected) this.#process.disconnect()
      await this.#exited
      clearTimeout(killer)
    }
    await this.#exited
  }

  #wait(id: number, operation: PendingCall['operation']): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { operation, resolve, reject })
      if (this.#pending.size === 1) this.#watch()
    })
  }

  #settle(reply: Reply): void {
    const id = reply.type === 'ready' ? 0 : reply.id
    const call = this.#pending.get(id)
    this.#pending.delete(id)
    this.#watch()
    if (reply.type === 'failed') call?.reject(new LeadlineError(reply.code, reply.detail))
    else call?.resolve(reply.type === 'ready' ? reply.caps : reply.value)
  }

  /** The process answers in order, so only the first of the waiting calls can be the one it hangs in. */
  #watch(): void {
    clearTimeout(this.#watchdog)
    const [first] = this.#pending.values()
    if (!first) return
    const patienceMs = this.#options.patienceMs(first.operation)
    const verdict = `gave no answer to "${first.operation}" for ${patienceMs} ms and was killed`
    this.#watchdog = setTimeout(() => this.#die(verdict), patienceMs)
  }

  #die(how: string): void {
    if (this.#dead) return
    this.#dead = true
    clearTimeout(this.#watchdog)
    this.#process.kill('SIGKILL')
    const failure = new LeadlineError('EXECUTOR_FAILED', `The executor process ${how}`)
    for (const call of this.#pending.values()) call.reject(failure)
    this.#pending.clear()
    if (!this.#stopping) this.#options.onDeath(failure)
  }
}

/** The entry beside this file, in the same language: from source the process needs tsx to read TypeScript. */
function forkChild(spec: ExecutorSpec): ChildProcess {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const entry = fileURLToPath(new URL(`./child.${extension}`, import.meta.url))
  const execArgv = extension === 'ts' ? ['--import', tsxLoader()] : []
  return fork(entry, [JSON.stringify(spec)], {
    serialization: 'advanced',
    execArgv,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc']
  })
}

/** As a URL, since `--import` of a bare name would be looked up from the working directory. */
function tsxLoader(): string {
  return pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
}

function logLines(stream: Readable | null, write: (line: string) => void): void {
  if (stream) createInterface({ input: stream, crlfDelay: Infinity }).on('line', write)
}
