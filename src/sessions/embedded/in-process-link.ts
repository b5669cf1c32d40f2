import type {
  CommandHandler,
  GatewayLink,
  NoteHandler,
  Route,
  SessionCommand,
  SessionLink,
  WorkerEvent,
  WorkerLink,
  WorkerNote
} from '../link.ts'

type EventHandler = (event: WorkerEvent) => void

interface WorkerHandlers {
  onCommand: CommandHandler
  onNote: NoteHandler
}

/**
 * Gateway and workers in one process. Messages are passed as they are, one microtask later, so that neither side is
 * ever called from inside its own call, as with any other link.
 */
export class InProcessLink implements GatewayLink {
  readonly #workers = new Map<string, WorkerHandlers>()
  readonly #gateways = new Map<string, EventHandler>()
  readonly #waiting: (() => void)[] = []

  attach(route: Route, onEvent: EventHandler): SessionLink {
    const { sessionId, token, workerId } = route
    const key = eventKey(route)
    this.#gateways.set(key, onEvent)
    return {
      send: (command: SessionCommand) =>
        this.#defer(() => this.#workers.get(workerId)?.onCommand(sessionId, token, command)),
      hasRoom: true,
      detach: () => {
        if (this.#gateways.get(key) === onEvent) this.#gateways.delete(key)
      }
    }
  }

  /** The worker's end of this link; several workers may listen, each with its own end. */
  workerLink(): WorkerLink {
    let id = ''
    let isListening = false
    return {
      listen: async (workerId, onCommand, onNote) => {
        id = workerId
        isListening = true
        this.#workers.set(workerId, { onCommand, onNote })
      },
      tell: (workerId, note) => this.tell(workerId, note),
      emit: (sessionId, token, event) =>
        this.#defer(() => this.#gateways.get(eventKey({ sessionId, token, workerId: id }))?.(event)),
      hush: () => {},
      release: () => {},
      close: async () => {
        if (isListening) this.#workers.delete(id)
        isListening = false
        await Promise.resolve()
      }
    }
  }

  async tell(workerId: string, note: WorkerNote): Promise<void> {
    this.#defer(() => this.#workers.get(workerId)?.onNote(note))
  }

  async forget(workerIds: readonly string[]): Promise<void> {
    for (const id of workerIds) this.#workers.delete(id)
  }

  async keepOnly(): Promise<void> {}

  async close(): Promise<void> {
    this.#gateways.clear()
  }

  #defer(deliver: () => void): void {
    if (this.#waiting.push(deliver) === 1) queueMicrotask(() => this.#deliverAll())
  }

  #deliverAll(): void {
    // Indexed, because a delivery may send: what it sends is delivered in the same pass, in order.
    for (let i = 0; i < this.#waiting.length; i++) this.#waiting[i]?.()
    this.#waiting.length = 0
  }
}

function eventKey({ sessionId, token, workerId }: Route): string {
  return `${sessionId}/${token}/${workerId}`
}
