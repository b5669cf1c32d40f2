import { Interrupted } from './failure.ts'
import { onStopSignal } from './stop-signals.ts'

/**
 * Run `task` with a signal that Ctrl-C, a closed terminal or SIGTERM aborts; a second one ends the process at once. Throws
 * Interrupted after the first.
 */
export async function untilInterrupted<T>(task: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  const stopListening = onStopSignal((signal) => controller.abort(new Interrupted(signal)))
  try {
    return await task(controller.signal)
  } catch (error) {
    controller.signal.throwIfAborted()
    throw error
  } finally {
    stopListening()
  }
}
