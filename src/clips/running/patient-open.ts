import { setTimeout as wait } from 'node:timers/promises'
import type { SessionEvent } from '../../session.ts'
import type { OpenWish, SessionHandle, Sessions } from '../../sessions/index.ts'
import { isWorthWaiting } from './interruption.ts'

/** A clip may wait this long for a worker or a place on one; live sessions come first. */
const patienceMs = 600_000
const retryMs = 2000

export interface OpenOptions {
  sessions: Sessions
  options: OpenWish
  signal: AbortSignal
}

/** Open a session, trying again while no worker is up or every one is full. Throws what `open` throws, and when `signal` gives up. */
export async function openPatiently(
  { sessions, options, signal }: OpenOptions,
  onEvent: (event: SessionEvent) => void
): Promise<SessionHandle> {
  const giveUpAtMs = performance.now() + patienceMs
  for (;;) {
    try {
      return await unlessAborted(sessions.open(options, onEvent), signal)
    } catch (error) {
      if (!isWorthWaiting(error) || performance.now() > giveUpAtMs) throw error
      await wait(error.retryAfterMs ?? retryMs, undefined, { signal })
    }
  }
}

/** A session that comes after all is closed again. */
async function unlessAborted(opening: Promise<SessionHandle>, signal: AbortSignal): Promise<SessionHandle> {
  let abandon: () => void = () => undefined
  const abandoned = new Promise<never>((_, reject) => (abandon = () => reject(signal.reason as Error)))
  signal.addEventListener('abort', abandon)
  try {
    signal.throwIfAborted()
    return await Promise.race([opening, abandoned])
  } catch (error) {
    void opening.then(
      (session) => session.close(),
      () => undefined
    )
    throw error
  } finally {
    signal.removeEventListener('abort', abandon)
  }
}
