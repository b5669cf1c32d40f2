import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { LinkProxy } from '../../test/helpers/link-proxy.ts'
import type { Program } from './program.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** As a supervisor waits before it starts again what did not come up. */
const againMs = 300
/** The time for stopping, and a little for the machine. */
const stopMs = 40_000

export interface ServiceOptions {
  name: string
  program: Program
  /** Of the command line. */
  args: readonly string[]
  env: NodeJS.ProcessEnv
  /** What it prints when it serves, with what is to be known of it. */
  announcement: RegExp
  logsFolder: string
  /** Between it and Redis. */
  link: LinkProxy
  /** Called when it ended and nobody had ended it, or otherwise than it should have. */
  onExit: (what: string) => void
}

/**
 * A gateway or a worker: the process that it is now, and after it has ended the next one, as a supervisor would see to. There
 * is one at a time, however many end it at once.
 */
export class Service {
  readonly name: string
  readonly link: LinkProxy
  readonly #options: ServiceOptions
  #child: ChildProcess | null = null
  /** What the announcement said. */
  #said: readonly string[] = []
  /** Processes that somebody ended. */
  readonly #ended = new WeakSet<ChildProcess>()
  #isClosed = false
  /** While a process is started that does not serve yet. */
  #rising: Promise<void> | null = null

  constructor(options: ServiceOptions) {
    this.name = options.name
    this.link = options.link
    this.#options = options
  }

  /** Groups of the announcement of the process that serves now, or did last. */
  get said(): readonly string[] {
    return this.#said
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Processes that this one started, by a part of their command line. */
  children(part: string): number[] {
    try {
      const ids = readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8').trim().split(' ')
      return ids
        .map(Number)
        .filter((id) => id > 0 && readFileSync(`/proc/${id}/cmdline`, 'utf8').includes(part))
    } catch {
      return []
    }
  }

  /** Resolves when it serves; started again until it does. Whoever asks meanwhile waits for the same. */
  start(): Promise<void> {
    this.#rising ??= this.#rise().finally(() => (this.#rising = null))
    return this.#rising
  }

  /** Resolves when the process that was started last serves. */
  get up(): Promise<void> {
    return this.#rising ?? Promise.resolve()
  }

  /** End the process, be it one that is just starting. Resolves when the next one serves. */
  async replace(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    await this.#end(signal)
    await this.start()
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }

  /** For good. */
  async close(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.#isClosed = true
    await this.#end(signal)
    await this.up
    await this.link.stop()
  }

  async #rise(): Promise<void> {
    while (!this.#isClosed && !(await this.#serves())) await delay(againMs)
  }

  /** Start a process. Whether it came up. */
  async #serves(): Promise<boolean> {
    const { args, env, logsFolder, name, program } = this.#options
    const child = spawn(process.execPath, [...program.args, ...args], {
      ...{ cwd: root, stdio: ['ignore', 'pipe', 'pipe'] },
      env: { ...process.env, ...env }
    })
    this.#child = child
    const kill = (): void => void child.kill('SIGKILL')
    process.once('exit', kill)
    child.once('exit', () => process.off('exit', kill))
    const log = createWriteStream(path.join(logsFolder, `${name}.log`), { flags: 'a' })
    child.stderr.pipe(log)
    const announced = this.#announced(child)
    const exited = once(child, 'exit').then(() => false)
    const isUp = await Promise.race([announced, exited])
    if (isUp) child.once('exit', (code, signal) => this.#exited(child, signal ?? code))
    return isUp
  }

  #announced(child: ChildProcess): Promise<true> {
    let printed = ''
    return new Promise((resolve) => {
      child.stdout!.setEncoding('utf8').on('data', (text: string) => {
        printed += text
        const match = this.#options.announcement.exec(printed)
        if (!match) return
        this.#said = match.slice(1)
        resolve(true)
      })
    })
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child
    if (child === null || hasExited(child)) return
    const exited = once(child, 'exit')
    // One that is stopped hears SIGTERM when it goes on.
    child.kill('SIGCONT')
    // A second SIGTERM would end it at once.
    if (signal === 'SIGKILL' || !this.#ended.has(child)) child.kill(signal)
    this.#ended.add(child)
    const isStuck = await Promise.race([exited.then(() => false), delay(stopMs, true, { ref: false })])
    if (!isStuck) return
    this.#options.onExit(`${this.name} (${signal} did not end it within ${stopMs / 1000} s)`)
    child.kill('SIGKILL')
    await exited
  }

  #exited(child: ChildProcess, how: string | number | null): void {
    if (!this.#ended.has(child)) {
      this.#options.onExit(`${this.name} (nobody had told it to, with ${how})`)
      void this.start()
    } else if (how !== 0 && how !== 'SIGKILL')
      this.#options.onExit(`${this.name} (told to stop, it ended with ${how})`)
  }
}

function hasExited({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}
