import { Interrupted } from './failure.ts'

/** Run `task` with a signal that Ctrl-C aborts; a second Ctrl-C ends the process as usual. Throws Interrupted after the first. */
export async function untilInterrupted<T>(task: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  const onSignal = () => controller.abort(new Interrupted('interrupted'))
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal)
  try {
    return await task(controller.signal)
  } catch (error) {
    controller.signal.throwIfAborted()
    throw error
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  }
}
