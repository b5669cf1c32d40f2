import type { Sessions } from '../../src/sessions/index.ts'
import type { SessionStore } from '../../src/sessions/session-store.ts'
import { eventually } from '../helpers/eventually.ts'
import { HashEngine } from '../helpers/hash-engine.ts'
import { ResumingClient } from '../helpers/resuming-client.ts'

/** Gateways and workers that meet somewhere, sessions taking 100 bytes each. What it starts ends with the test. */
export interface MovingCell {
  store: SessionStore
  startGateway(): Promise<Sessions>
  startWorker(
    engine: HashEngine,
    options?: { parkAfterMs?: number; balanceAbove?: number }
  ): Promise<MovingWorker>
}

export interface MovingWorker {
  id: string
  /** Resolves when its last session has gone. */
  drain(): Promise<void>
  close(): Promise<void>
  /** As a crash: from now on it says and hears nothing. */
  kill(): void
  /** Called when it has made a session its own, before it can tell anybody. */
  onCommit(call: () => void): void
}

/** Sessions on one worker, and another that could have them. */
export async function draining(
  cell: MovingCell,
  count: number,
  options: { parkAfterMs?: number } = {},
  secondEngine: HashEngine = new HashEngine()
) {
  const engine = new HashEngine()
  /** So many frames and other things have reached the engine, and wait. */
  const waiting = ({ id }: ResumingClient, count: number): Promise<void> =>
    eventually(() => engine.sessions.get(id)?.waiting.length).toBe(count)
  const first = { engine, waiting, ...(await cell.startWorker(engine, options)) }
  const gateway = await cell.startGateway()
  const clients = await Promise.all(Array.from({ length: count }, () => ResumingClient.open(gateway)))
  const second = { engine: secondEngine, ...(await cell.startWorker(secondEngine)) }
  return { clients, first, second, store: cell.store }
}

export function seqs(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i)
}

export function continuities(client: ResumingClient): string[] {
  return client.log.all.flatMap((event) => (event.type === 'recovered' ? [event.continuity] : []))
}
