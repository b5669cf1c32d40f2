import type { Sessions } from '../../src/sessions/index.ts'
import type { SessionStore } from '../../src/sessions/session-store.ts'
import type { HashEngine } from '../helpers/hash-engine.ts'
import type { Leftovers } from '../helpers/redis-leftovers.ts'

export interface CellGateway extends Sessions {
  /** As if it were killed: it says and hears nothing any more. */
  vanish(): void
}

/** One worker and any number of gateways. Whoever makes it closes it. */
export interface Cell {
  engine: HashEngine
  store: SessionStore
  addGateway(options?: { graceMs?: number }): Promise<CellGateway>
  /** What is left although nobody will take it away. */
  leftovers(): Promise<Leftovers>
}

export const nothingLeft: Leftovers = { immortal: [], unaccounted: {}, ofSessions: [] }
