import type { SavedContext } from '../../wire/context-bytes.ts'
import { LeadlineError } from '../../errors.ts'
import { Deferred } from '../../deferred.ts'
import type { GatewayLink, Route, SessionCommand, SessionLink, WorkerEvent } from '../link.ts'

/** How a worker answers when it has a session. */
export type Answer<T extends 'opened' | 'adopted' = 'opened' | 'adopted'> = Extract<WorkerEvent, { type: T }>
/** What it is asked first. */
export type Begin = Extract<SessionCommand, { type: 'open' | 'adopt' }>
type OpenCommand = Extract<Begin, { type: 'open' }>

export function openCommand(
  wish: Pick<OpenCommand, 'options' | 'account' | 'resumable'>,
  from: SavedContext | undefined
): OpenCommand {
  const open = { type: 'open', ...wish } as const
  if (!from) return open
  return { ...open, past: { context: from.context, told: [], after: from.seq, isCheckpoint: true } }
}

interface LegOptions {
  link: GatewayLink
  route: Route
  onEvent: (event: WorkerEvent) => void
  onFailure: (error: LeadlineError) => void
}

/** A session's time on one worker: from its placement there until it ends, or goes on elsewhere. */
export class Leg {
  readonly route: Route
  readonly #link: SessionLink
  readonly #answer = new Deferred<Answer>()

  constructor({ link, route, onEvent, onFailure }: LegOptions) {
    this.route = route
    this.#link = link.attach(route, onEvent, onFailure)
  }

  get answer(): Promise<Answer> {
    return this.#answer.promise
  }

  get hasRoom(): boolean {
    return this.#link.hasRoom
  }

  send(command: SessionCommand): void {
    this.#link.send(command)
  }

  /** Rejects when no answer comes in time, and then nothing more comes. */
  async ask(command: Begin, timeoutMs: number): Promise<void> {
    this.send(command)
    const late = `Worker ${this.route.workerId} did not open the session in ${timeoutMs} ms`
    const timer = setTimeout(() => this.end(new LeadlineError('WORKER_LOST', late)), timeoutMs)
    await this.answer.finally(() => clearTimeout(timer))
  }

  begun(answer: Answer): void {
    this.#answer.resolve(answer)
  }

  /** Nothing comes from this worker any more; who waits for its answer is told why. Twice does no harm. */
  end(reason: LeadlineError): void {
    this.#link.detach()
    this.#answer.reject(reason)
  }
}
