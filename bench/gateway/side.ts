import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { RawSession } from './raw-session.ts'
import type { Sizes } from './wire.ts'

export interface Throughput {
  framesPerSecond: number
  /** Of the server's process, for each frame. */
  cpuMs: number
}

/** One server and its clients, which are here. */
export class Side {
  readonly #server: ChildProcess
  readonly #port: number
  readonly #isBare: boolean
  readonly #sizes: Sizes
  #sessions: RawSession[] = []
  #onDepth: (session: number, latencyMs: number) => void = () => {}

  static async start(kind: 'gateway' | 'bare', sizes: Sizes): Promise<Side> {
    const server = fork(fileURLToPath(new URL('./server.ts', import.meta.url)), [kind, String(sizes.depth)], {
      execArgv: ['--require', './src/thread-pool.cjs', '--import', 'tsx', '--expose-gc', ...profiling()]
    })
    const [port] = (await once(server, 'message')) as [number]
    return new Side({ server, port, isBare: kind === 'bare', sizes })
  }

  private constructor(made: { server: ChildProcess; port: number; isBare: boolean; sizes: Sizes }) {
    this.#server = made.server
    this.#port = made.port
    this.#isBare = made.isBare
    this.#sizes = made.sizes
  }

  /** So many more sessions, one after the other. */
  async open(sessions: number): Promise<void> {
    for (let i = 0; i < sessions; i++) {
      const number = this.#sessions.length
      this.#sessions.push(
        await RawSession.open({
          ...{ port: this.#port, isBare: this.#isBare, frameBytes: this.#sizes.frame },
          onDepth: (latencyMs) => this.#onDepth(number, latencyMs)
        })
      )
    }
  }

  /** Closed loop: every session has so many frames on their way, for so long. */
  async saturate(inFlight: number, seconds: number): Promise<Throughput> {
    const untilMs = performance.now() + seconds * 1000
    let frames = 0
    this.#onDepth = (session) => {
      frames++
      if (performance.now() < untilMs) this.#sessions[session]?.send()
    }
    const [fromMs, cpu] = [performance.now(), await this.#ask<number>('cpu')]
    for (let i = 0; i < inFlight; i++) for (const session of this.#sessions) session.send()
    await this.#settled(fromMs + seconds * 1000)
    const tookMs = performance.now() - fromMs
    const cpuMs = ((await this.#ask<number>('cpu')) - cpu) / frames
    return { framesPerSecond: (frames * 1000) / tookMs, cpuMs }
  }

  /** Open loop: every session sends so often, whatever comes back; from when each frame was sent to its depth map. */
  async pace(framesPerSecond: number, seconds: number): Promise<number[]> {
    const latenciesMs: number[] = []
    this.#onDepth = (_, latencyMs) => void latenciesMs.push(latencyMs)
    const all = this.#sessions.length
    const [startMs, frames] = [performance.now(), Math.round(framesPerSecond * seconds) * all]
    for (let i = 0; i < frames;) {
      const due = ((performance.now() - startMs) / 1000) * framesPerSecond * all
      for (; i < Math.min(due, frames); i++) this.#sessions[i % all]?.send()
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    await this.#settled(performance.now())
    return latenciesMs
  }

  memory(): Promise<{ rss: number; used: number }> {
    return this.#ask('memory')
  }

  closeSessions(): void {
    for (const session of this.#sessions) session.close()
    this.#sessions = []
  }

  async stop(): Promise<void> {
    const exited = once(this.#server, 'exit')
    this.closeSessions()
    this.#server.disconnect()
    await exited
  }

  async #ask<T>(what: 'cpu' | 'memory'): Promise<T> {
    const answer = once(this.#server, 'message')
    this.#server.send(what)
    return ((await answer) as [T])[0]
  }

  /** From then on, when every frame has its depth map. */
  async #settled(fromMs: number): Promise<void> {
    while (performance.now() < fromMs || this.#sessions.some(({ waiting }) => waiting > 0))
      await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

/** BENCH_PROFILE=FOLDER: of every server's process. */
function profiling(): string[] {
  const folder = process.env['BENCH_PROFILE']
  return folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`]
}
