import { fork } from 'node:child_process'
import type { ChildProcess, StdioOptions } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { Logger } from 'pino'
import { LeadlineError } from '../../errors.ts'
import { entryBeside } from '../entry.ts'
import type { ExecutorCaps } from '../executor.ts'
import { CallTimes } from './call-times.ts'
import type { ExecutorSpec, Operation, Reply, Request } from './child-messages.ts'
import { OuterSide, crossingBytes } from './frame-crossing.ts'
import { lookAtProcess } from './look-at-process.ts'
import { SharedMemory } from './shared-memory.ts'
import { Watchdog } from './watchdog.ts'
import type { Patience } from './watchdog.ts'

export interface ExecutorChildOptions {
  spec: ExecutorSpec
  log: Logger
  /**
   * How long nothing may happen in the process while it starts, loads a model or closes, in milliseconds. Every other call
   * is held to what is usual.
   */
  stillMs: number
  sharesMemory: boolean
  /** Called once, unless the end was asked for by `stop`. */
  onDeath: (failure: LeadlineError) => void
}

interface PendingCall {
  /** Null for the start of the process. */
  request: Request | null
  resolve: (value: unknown) => void
  reject: (failure: LeadlineError) => void
}

/** File descriptor of the memory in the child: the place after its channel. */
const memoryFd = 4

const slowOperations: ReadonlySet<Operation> = new Set(['load', 'close'])

/** One life of the executor process. Requests are answered in order; the end of the process fails all that wait. */
export class ExecutorChild {
  readonly ready: Promise<ExecutorCaps>
  /** How frames get there and depth comes back. */
  readonly side: OuterSide
  readonly #options: ExecutorChildOptions
  readonly #process: ChildProcess
  readonly #exited: Promise<void>
  /** In the order the process will answer. */
  readonly #pending = new Map<number, PendingCall>()
  readonly #times: CallTimes
  readonly #watchdog: Watchdog
  /** When the process came to the first of the pending calls. */
  #turnedAtMs = 0
  #lastId = 0
  #stopping = false
  #hasWorked = false
  #dead = false

  constructor(options: ExecutorChildOptions) {
    this.#options = options
    this.#times = new CallTimes({ isOnDevice: isOnDevice(options.spec) })
    const memory = options.sharesMemory ? SharedMemory.create(crossingBytes) : null
    this.side = new OuterSide(memory)
    this.#process = forkChild(options.spec, memory)
    this.#exited = new Promise((resolve) => {
      this.#process.once('exit', resolve)
      if (this.#process.pid === undefined) resolve()
    })
    void this.#exited.then(() => memory?.close())
    this.#watchdog = new Watchdog({
      look: () => (this.pid === undefined ? null : lookAtProcess(this.pid)),
      onHang: (why) => this.#die(`${why} in "${this.#first?.request?.operation ?? 'start'}" and was killed`)
    })
    this.ready = this.#wait(0, null) as Promise<ExecutorCaps>
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

  /** Whether it has done anything that was asked of it. */
  get hasWorked(): boolean {
    return this.#hasWorked
  }

  /** Rejects with the named failure of the executor, or with EXECUTOR_FAILED when the process ends first. */
  call(operation: Operation, args: Request['args']): Promise<unknown> {
    if (this.#dead)
      return Promise.reject(new LeadlineError('EXECUTOR_FAILED', 'The executor process is gone'))
    const id = ++this.#lastId
    const request = { id, operation, args } as Request
    const answer = this.#wait(id, request)
    this.#process.send(request)
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

  /** The process answers in order, so only the first of the waiting calls can be the one it fails in. */
  get #first(): PendingCall | undefined {
    const [first] = this.#pending.values()
    return first
  }

  #wait(id: number, request: Request | null): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { request, resolve, reject })
      if (this.#pending.size === 1) this.#turn()
    })
  }

  #settle(reply: Reply): void {
    const id = reply.type === 'ready' ? 0 : reply.id
    const call = this.#pending.get(id)
    if (!call) return
    if (reply.type === 'done' && call.request) {
      this.#hasWorked = true
      const wallMs = performance.now() - this.#turnedAtMs
      this.#times.note(call.request, reply.value, { wallMs, cpuMs: reply.cpuMs })
    }
    this.#pending.delete(id)
    this.#turn()
    if (reply.type === 'failed') call.reject(new LeadlineError(reply.code, reply.detail))
    else call.resolve(reply.type === 'ready' ? reply.caps : reply.value)
  }

  /** The process comes to its next call. */
  #turn(): void {
    this.#turnedAtMs = performance.now()
    this.#watchdog.watch(this.#first ? this.#patienceWith(this.#first) : null)
  }

  #patienceWith({ request }: PendingCall): Patience {
    if (!request || slowOperations.has(request.operation)) return { stillMs: this.#options.stillMs }
    return { usual: this.#times.usual(request) }
  }

  /** The call that the process died in fails with the very failure that `onDeath` is told. */
  #die(how: string): void {
    if (this.#dead) return
    this.#dead = true
    this.#watchdog.close()
    this.#process.kill('SIGKILL')
    const failure = new LeadlineError('EXECUTOR_FAILED', `The executor process ${how}`)
    const [fatal, ...others] = this.#pending.values()
    this.#pending.clear()
    fatal?.reject(failure)
    for (const call of others) call.reject(new LeadlineError('EXECUTOR_FAILED', failure.message))
    if (!this.#stopping) this.#options.onDeath(failure)
  }
}

function isOnDevice(spec: ExecutorSpec): boolean {
  return spec.kind === 'ort-webgpu' || (spec.kind === 'ort-capi' && spec.device !== 'cpu')
}

function forkChild(spec: ExecutorSpec, memory: SharedMemory | null): ChildProcess {
  const { path, execArgv } = entryBeside(import.meta.url, 'child')
  const stdio: StdioOptions = ['ignore', 'pipe', 'pipe', 'ipc', ...(memory ? [memory.fd] : [])]
  const args = [JSON.stringify(spec), ...(memory ? [String(memoryFd)] : [])]
  return fork(path, args, { serialization: 'advanced', execArgv, stdio })
}

function logLines(stream: Readable | null, write: (line: string) => void): void {
  if (stream) createInterface({ input: stream, crlfDelay: Infinity }).on('line', write)
}
