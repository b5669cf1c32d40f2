import { fork } from 'node:child_process'
import type { ChildProcess, StdioOptions } from 'node:child_process'
import { lookAtProcess } from '../../executors/process/look-at-process.ts'
import { SharedMemory } from '../../executors/process/shared-memory.ts'
import { SharedPixels } from './shared-pixels.ts'
import { memoryFd, sharedBytes } from './shared-pixels.ts'

export interface ProcessLimits {
  /** Of the processor for one request, in milliseconds; by the clock `patience` times that. */
  workMs: number
  /** Memory of the process, in KiB, beside what it shares. */
  dataKib: number
  /** As of nice(1): 0 is as everybody else. */
  niceness: number
}

/** What it runs, as of `entryBeside`. */
export interface Program {
  path: string
  execArgv: string[]
}

/** It ended, or was ended, with a request. */
export class ProcessGone extends Error {
  /** Whether it had begun with it. */
  readonly wasReady: boolean

  constructor(how: string, wasReady: boolean) {
    super(how)
    this.wasReady = wasReady
  }
}

/** How many times longer than it computes a request may take. */
const patience = 4

interface Waiting<Answer> {
  resolve(answer: Answer): void
  reject(failure: ProcessGone): void
}

/**
 * One life of a process that does something with one picture at a time. Whatever that does to it, it does to nothing else:
 * a process that dies or takes too long costs the picture that it had.
 */
export class PixelProcess<Request extends object, Answer> {
  /** Null where no memory can be shared. */
  readonly shared: SharedPixels | null
  readonly #limits: ProcessLimits
  readonly #process: ChildProcess
  readonly #exited: Promise<void>
  #isReady = false
  #isDead = false
  #current: Waiting<Answer> | null = null
  #late: NodeJS.Timeout | undefined

  constructor(program: Program, limits: ProcessLimits) {
    this.#limits = limits
    const memory = SharedMemory.create(sharedBytes)
    this.#process = forkProgram(program, limits, memory)
    this.#exited = new Promise((resolve) => {
      this.#process.once('exit', () => resolve())
      if (this.#process.pid === undefined) resolve()
    })
    this.shared = memory && new SharedPixels(memory)
    void this.#exited.then(() => this.shared?.close())
    this.#process.on('message', (answer: Answer | 'ready') => this.#hear(answer))
    this.#process.on('exit', (code, signal) => this.die(`ended with ${signal ?? `exit code ${code}`}`))
    this.#process.on('error', (error) => this.die(`could not be reached: ${error.message}`))
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  get isDead(): boolean {
    return this.#isDead
  }

  /** One at a time. Throws ProcessGone. */
  ask(request: Request): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#current = { resolve, reject }
      if (this.#isDead) return this.#fail('is gone')
      // From when it is ready on: a busy machine takes its time to start a process.
      if (this.#isReady) this.#watch()
      // Where it cannot be sent the process has ended, which says how.
      this.#process.send(request, () => undefined)
    })
  }

  /** What it is asked fails. Twice without harm. */
  async end(): Promise<void> {
    this.die('was ended')
    await this.#exited
  }

  /** As `end`, for this reason. */
  die(how: string): void {
    clearInterval(this.#late)
    this.#isDead = true
    this.#process.kill('SIGKILL')
    this.#fail(how)
  }

  /** On a busy machine a picture may take its time; on any it may not be computed at for longer. */
  #watch(): void {
    const { workMs } = this.#limits
    const spentMs = () => (this.pid === undefined ? null : lookAtProcess(this.pid))?.cpuMs ?? Infinity
    const atFirstMs = spentMs()
    let looks = 0
    this.#late = setInterval(() => {
      looks += 1
      if (looks < patience && spentMs() - atFirstMs < workMs) return
      this.die(`took longer than ${workMs} ms`)
    }, workMs)
  }

  #hear(answer: Answer | 'ready'): void {
    if (answer === 'ready') {
      this.#isReady = true
      if (this.#current !== null) this.#watch()
      return
    }
    clearInterval(this.#late)
    const current = this.#current
    this.#current = null
    current?.resolve(answer)
  }

  #fail(how: string): void {
    const current = this.#current
    this.#current = null
    current?.reject(new ProcessGone(how, this.#isReady))
  }
}

/** What it is to know of its surroundings: no password, no key. */
const knownVariables = ['PATH', 'HOME', 'TMPDIR', 'LD_LIBRARY_PATH', 'UV_THREADPOOL_SIZE']

function forkProgram(
  { path, execArgv }: Program,
  { dataKib, niceness }: ProcessLimits,
  memory: SharedMemory | null
): ChildProcess {
  const stdio: StdioOptions = ['ignore', 'ignore', 'inherit', 'ipc', ...(memory ? [memory.fd] : [])]
  const args = memory ? [String(memoryFd)] : []
  const known = knownVariables.map((name) => [name, process.env[name]] as const)
  const env = Object.fromEntries(known.filter(([, value]) => value !== undefined))
  const options = { serialization: 'advanced' as const, stdio, env }
  if (process.platform === 'win32') return fork(path, args, { ...options, execArgv })
  // In a shell: what it runs in its place has these limits, and is still the child that is started.
  const limited = `ulimit -c 0; ulimit -d ${dataKib}; exec nice -n ${niceness} "$@"`
  const shell = ['-c', limited, 'sh', process.execPath, ...execArgv]
  return fork(path, args, { ...options, execPath: '/bin/sh', execArgv: shell })
}
