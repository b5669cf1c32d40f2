import { fork } from 'node:child_process'
import type { ChildProcess, StdioOptions } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { Logger } from 'pino'
import { LeadlineError } from '../../../errors.ts'
import { entryBeside } from '../../../machine/entry-beside.ts'
import type { ExecutorCaps, Operation } from '../../executor.ts'
import type { ExecutorSpec } from '../spec.ts'
import { CallTimes } from './call-times.ts'
import type { Reply, Request } from './child-messages.ts'
import { SupervisorSide, transportBytes } from './frame-transport.ts'
import { lookAtProcess } from './look-at-process.ts'
import { PendingCalls } from './pending-calls.ts'
import type { PendingCall } from './pending-calls.ts'
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
  /** How many calls it answers one after the other before loads go on beside the rest. */
  calmCalls: number
  /** Called once, unless the end was asked for by `stop`. */
  onDeath: (failure: LeadlineError) => void
}

/** File descriptor of the memory in the child: the place after its channel. */
const memoryFd = 4

/** ONNX Runtime's own builds send facts of machine and models to their makers from 1.30 on, unless told not to at the start. */
const noTelemetry = { ORT_DISABLE_TELEMETRY: '1' }

const slowOperations: ReadonlySet<Operation> = new Set(['load', 'close'])

/**
 * One life of the executor process. Requests are answered in order, but for loads beside the rest; the end of the process
 * fails all that wait.
 */
export class ExecutorChild {
  readonly ready: Promise<ExecutorCaps>
  /** How frames get there and depth comes back. */
  readonly side: SupervisorSide
  readonly #options: ExecutorChildOptions
  readonly #process: ChildProcess
  readonly #exited: Promise<void>
  readonly #pending = new PendingCalls()
  readonly #times: CallTimes
  readonly #watchdog: Watchdog
  #lastId = 0
  #stopping = false
  #numDone = 0
  #dead = false

  constructor(options: ExecutorChildOptions) {
    this.#options = options
    this.#times = new CallTimes({ isOnDevice: isOnDevice(options.spec) })
    const memory = options.sharesMemory ? SharedMemory.create(transportBytes) : null
    this.side = new SupervisorSide(memory)
    this.#process = forkChild(options.spec, memory)
    this.#exited = new Promise((resolve) => {
      this.#process.once('exit', resolve)
      if (this.#process.pid === undefined) resolve()
    })
    void this.#exited.then(() => memory?.close())
    this.#watchdog = new Watchdog({
      look: () => (this.pid === undefined ? null : lookAtProcess(this.pid)),
      onHang: (why) => this.#die(`${why} in ${named(this.#pending.underWay)} and was killed`)
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
    return this.#numDone > 0
  }

  /** Rejects with the named failure of the executor, or with EXECUTOR_FAILED when the process ends first. */
  call(operation: Operation, args: Request['args']): Promise<unknown> {
    if (this.#dead)
      return Promise.reject(new LeadlineError('EXECUTOR_FAILED', 'The executor process is gone'))
    const id = ++this.#lastId
    const isBeside = operation === 'load' && this.#numDone >= this.#options.calmCalls
    const request = { id, operation, isBeside, args } as Request
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

  #wait(id: number, request: Request | null): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const call = { request, begunAtMs: null, isShared: false, resolve, reject }
      if (this.#pending.add(id, call)) this.#turn()
    })
  }

  #settle(reply: Reply): void {
    const id = reply.type === 'ready' ? 0 : reply.id
    const call = this.#pending.take(id)
    if (!call) return
    if (reply.type === 'done' && call.request) {
      this.#numDone += 1
      const wallMs = performance.now() - (call.begunAtMs ?? 0)
      const isTelling = !call.isShared || call.request.operation === 'load'
      if (isTelling) this.#times.note(call.request, reply.value, { wallMs, cpuMs: reply.cpuMs })
    }
    this.#turn()
    if (reply.type === 'failed') call.reject(new LeadlineError(reply.code, reply.detail))
    else call.resolve(reply.type === 'ready' ? reply.caps : reply.value)
  }

  /** The process comes to its next call. */
  #turn(): void {
    const { underWay } = this.#pending
    for (const call of underWay) {
      call.begunAtMs ??= performance.now()
      call.isShared ||= underWay.length > 1
    }
    this.#watchdog.watch(this.#patienceWith(underWay))
  }

  /** While a load goes on beside it, a step gets less of the processor, and nobody can say how long it takes. */
  #patienceWith([first, ...others]: readonly PendingCall[]): Patience | null {
    if (!first) return null
    const isSlow = !first.request || slowOperations.has(first.request.operation)
    if (isSlow || others.length > 0) return { stillMs: this.#options.stillMs }
    return { usual: this.#times.usual(first.request!) }
  }

  /** The calls that the process may have died in fail with the very failure that `onDeath` is told. */
  #die(how: string): void {
    if (this.#dead) return
    this.#dead = true
    this.#watchdog.close()
    this.#process.kill('SIGKILL')
    const failure = new LeadlineError('EXECUTOR_FAILED', `The executor process ${how}`)
    const { underWay, waiting } = this.#pending.takeAll()
    for (const call of underWay) call.reject(failure)
    for (const call of waiting) call.reject(new LeadlineError('EXECUTOR_FAILED', failure.message))
    if (!this.#stopping) this.#options.onDeath(failure)
  }
}

function named(calls: readonly PendingCall[]): string {
  return calls.map(({ request }) => `"${request?.operation ?? 'start'}"`).join(' beside ')
}

function isOnDevice(spec: ExecutorSpec): boolean {
  return spec.kind === 'ort-webgpu' || (spec.kind === 'ort-capi' && spec.device !== 'cpu')
}

function forkChild(spec: ExecutorSpec, memory: SharedMemory | null): ChildProcess {
  const { path, execArgv } = entryBeside(import.meta.url, 'child')
  const stdio: StdioOptions = ['ignore', 'pipe', 'pipe', 'ipc', ...(memory ? [memory.fd] : [])]
  const args = [JSON.stringify(spec), ...(memory ? [String(memoryFd)] : [])]
  const env = { ...noTelemetry, ...process.env }
  return fork(path, args, { serialization: 'advanced', execArgv, stdio, env })
}

function logLines(stream: Readable | null, write: (line: string) => void): void {
  if (stream) createInterface({ input: stream, crlfDelay: Infinity }).on('line', write)
}
