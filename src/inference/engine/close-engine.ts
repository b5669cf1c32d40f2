import { setTimeout as delay } from 'node:timers/promises'
import type { Engine } from './engine.ts'
import type { Executor } from '../executor.ts'

/** How long sessions may take to end, in milliseconds: longer than a step, not as long as building an engine. */
const sessionsMs = 5_000

/**
 * Sessions first, the executor after them, in a time that does not depend on what it is doing: a session whose model is
 * still loading ends with the process that loads it. Twice without harm.
 */
export async function closeEngine(engine: Engine, executor: Executor, graceMs = sessionsMs): Promise<void> {
  const ended = engine.closeAll()
  await Promise.race([ended, delay(graceMs, undefined, { ref: false })])
  await executor.close()
  await ended
}
