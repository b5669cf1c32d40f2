import { setTimeout as sleep } from 'node:timers/promises'
import type { ClientSocket } from '../../client/index.ts'
import { openSocket, streamUrl } from '../../client/index.ts'
import { Heard } from './heard.ts'
import type { RecordedSession, Said } from './recorded-session.ts'

export interface ReplayOptions {
  url: string
  /** Shown to the server; null: none. */
  key: string | null
  /** With the times of the recording; else as fast as the server allows. */
  isRealTime: boolean
  signal: AbortSignal
}

/**
 * Say again what the client said, and hear what comes. As fast as the server allows, it is said losslessly and without the
 * frames that were dropped before the network saw them: which ones are is a matter of time, and what the others get does not
 * depend on it.
 */
export async function replaySession(session: RecordedSession, options: ReplayOptions): Promise<Heard> {
  const { url, key, isRealTime, signal } = options
  const socket = await openSocket(streamUrl(url), key === null ? {} : { key }, signal)
  const onAbort = (): void => socket.close()
  signal.addEventListener('abort', onAbort)
  try {
    const heard = new Heard(socket)
    // The whole session goes over one socket, and nothing holds its depth maps back.
    const { credit: _, resumable: __, ...config } = session.config
    socket.send(JSON.stringify(isRealTime ? config : { ...config, delivery: 'lossless' }))
    const said = isRealTime ? session.said : session.said.filter((one) => isWorthIt(one, session))
    for (const { message } of contextOf(said)) socket.send(message)
    await heard.until(() => heard.ready !== null)
    await sayAll(said.slice(contextOf(said).length), socket, { ...options, heard })
    await heard.until(() => false)
    signal.throwIfAborted()
    return heard
  } finally {
    signal.removeEventListener('abort', onAbort)
    socket.close()
  }
}

async function sayAll(
  said: readonly Said[],
  socket: ClientSocket,
  { heard, isRealTime, signal }: ReplayOptions & { heard: Heard }
): Promise<void> {
  const firstMs = said[0]?.ms ?? 0
  const sinceMs = performance.now()
  const mostInFlight = heard.ready?.limits.maxInFlight ?? 1
  let numSent = 0
  for (const one of said) {
    if (isRealTime) await sleep(sinceMs + one.ms - firstMs - performance.now(), undefined, { signal })
    else await heard.until(() => numSent - heard.outcomes.size < mostInFlight)
    if (heard.isOver) return
    socket.send(one.type === 'text' ? one.text : one.message)
    if (one.type === 'frame') numSent++
  }
  // Of a client that went away without a word the outcomes come all the same.
  if (!said.some((one) => one.type === 'text' && isClose(one.text))) socket.send('{"type":"close"}')
}

/** What stands behind a config that announces a context. */
function contextOf(said: readonly Said[]): Extract<Said, { type: 'context' }>[] {
  return said.filter((one) => one.type === 'context')
}

function isWorthIt(one: Said, { outcomes }: RecordedSession): boolean {
  if (one.type !== 'frame') return true
  const outcome = outcomes.get(one.seq)
  return outcome !== undefined && (outcome.type !== 'drop' || outcome.wasSeen)
}

function isClose(text: string): boolean {
  return /^\s*\{\s*"type"\s*:\s*"close"/.test(text)
}
