import type { EngineEntry } from '../../src/frame-engine.ts'
import { createHash } from 'node:crypto'
import pino from 'pino'
import type { ValidFrame } from '../../src/wire/frame.ts'
import { decodeMessage } from '../../src/wire/frame.ts'
import { Engine } from '../../src/inference/engine/engine.ts'
import type { EngineOptions } from '../../src/inference/engine/engine.ts'
import { fakeManifest } from '../../src/inference/executors/fake/fake-model.ts'
import { FakeExecutor } from '../../src/inference/executors/fake/fake.ts'
import type { FakeExecutorOptions } from '../../src/inference/executors/fake/fake.ts'
import { ownPixels } from '../../src/inference/pixels/pixel-work.ts'
import { sessionOptions } from '../../src/session.ts'
import type {
  Mode,
  OpenedSession,
  SessionConfig,
  SessionContext,
  SessionEvent,
  StreamPosition
} from '../../src/session.ts'
import { WindowSession } from '../../src/inference/offline/window-session.ts'

export const silent = pino({ level: 'silent' })

/** An engine on the fake executor, in this process. */
export function fakeEngine(options: Partial<EngineOptions> & { fake?: FakeExecutorOptions } = {}): Engine {
  return new Engine({
    openWindows: (options) => new WindowSession(options),
    executor: new FakeExecutor(options.fake),
    models: new Map([['fake', { manifest: fakeManifest, weightsPath: '' }]]),
    capacityBytes: 10_000_000,
    maxPixels: 1_000_000,
    replayBytes: 10_000_000,
    parkedBytes: 10_000_000,
    pixels: ownPixels,
    log: silent,
    ...options
  })
}

export interface TestSession {
  id: string
  opened: OpenedSession
  events: SessionEvent[]
  submit(frame: ValidFrame): void
  reset(): void
  /** Resolves when all that was submitted before has its outcome. */
  flush(): Promise<void>
  /** Resolves with the first event, past or to come, that matches. */
  until(matches: (event: SessionEvent) => boolean): Promise<SessionEvent>
  context(wishes?: { latents?: boolean }): Promise<SessionContext>
  park(): Promise<number>
  position(): StreamPosition | null
  close(): Promise<void>
}

/** A session that keeps its events; f32 at network size, so that values can be compared bit for bit. */
export async function openSession(
  engine: Engine,
  id: string,
  config: SessionConfig = {},
  /** Also one that no live stream may ask for. */
  mode: Mode = config.mode ?? 'ovda',
  context?: SessionContext,
  entry: EngineEntry = {}
): Promise<TestSession> {
  const events: SessionEvent[] = []
  const waiters: { matches: (event: SessionEvent) => boolean; resolve: (event: SessionEvent) => void }[] = []
  const options = { ...sessionOptions({ output: { format: 'f32' }, ...config }, 'fake'), mode }
  const emit = (event: SessionEvent): void => {
    events.push(event)
    for (const { matches, resolve } of waiters) if (matches(event)) resolve(event)
  }
  const opened = await engine.open(id, options, emit, { ...entry, ...(context && { context }) })
  const until: TestSession['until'] = (matches) => {
    const past = events.find(matches)
    return past ? Promise.resolve(past) : new Promise((resolve) => waiters.push({ matches, resolve }))
  }
  let flushes = 0
  return {
    id,
    opened,
    events,
    submit: (frame) => engine.submit(id, frame),
    reset: () => engine.reset(id),
    flush: async () => {
      const flushId = `flush-${++flushes}`
      engine.flush(id, flushId)
      await until((event) => event.type === 'flushed' && event.id === flushId)
    },
    until,
    context: (wishes) => engine.context(id, wishes),
    park: () => engine.park(id),
    position: () => engine.position(id),
    close: () => engine.close(id)
  }
}

export interface Result {
  seq: number
  epoch: number
  flags: number
  timestampUs: number
  /** Of the f32 map: equal if, and only if, every bit is. */
  fingerprint: string
}

/** The f32 depth maps among the events. */
export function resultsOf(events: readonly SessionEvent[]): Result[] {
  return events.flatMap((event) => {
    if (event.type !== 'result') return []
    const { header, payload } = decodeMessage(event.message)
    const { seq, epoch, flags, timestampUs } = header
    return [{ seq, epoch, flags, timestampUs, fingerprint: fingerprint(payload) }]
  })
}

export function fingerprint(map: Uint8Array | Float32Array): string {
  return createHash('sha1').update(map).digest('hex')
}

/** A place where whoever comes waits until the test lets one pass. */
export class Gate {
  readonly #waiting: (() => void)[] = []
  readonly #arrivals: (() => void)[] = []
  #open = false

  /** To be awaited by what the gate holds. */
  readonly pass = (): Promise<void> => {
    if (this.#open) return Promise.resolve()
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#arrivals.shift()?.()
    })
  }

  /** Resolves when someone stands at the gate. */
  arrival(): Promise<void> {
    return this.#waiting.length > 0
      ? Promise.resolve()
      : new Promise((resolve) => this.#arrivals.push(resolve))
  }

  letOnePass(): void {
    this.#waiting.shift()?.()
  }

  open(): void {
    this.#open = true
    while (this.#waiting.length > 0) this.letOnePass()
  }
}
