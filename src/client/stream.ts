import { LeadlineError } from '../errors.ts'
import type { SessionConfig } from '../session.ts'
import type { Credentials } from './client-socket.ts'
import { openSocket } from './client-socket.ts'
import type { ConnectionEvent } from './connection-event.ts'
import type { DepthStream, StreamHandle } from './depth-stream.ts'
import { SocketStream } from './socket-stream.ts'
import { streamUrl } from './server-url.ts'

export interface StreamOptions {
  /**
   * `ws://host:port`, or the same with http, or without either, which is http, and any path in front of `/v1/stream`, which
   * is added. Of several, which must be gateways of one installation, the first is connected to, and each next one when a
   * connection fails or is lost.
   */
  url: string | URL | readonly (string | URL)[]
  /** @default the server's defaults */
  config?: SessionConfig
  /**
   * What `checkpoint` gave: the session goes on from there, with a latent cache of its own, and `ready.continued` tells how
   * true to the first one it is. Its model, mode and window come with it.
   */
  context?: Uint8Array
  /**
   * What another stream left, its `handle`: the session goes on here, and `ready.resumed` tells how true to the past it is.
   * Outcomes that the other has not got come here. In place of `config` and `context`.
   */
  resume?: StreamHandle
  /** Ends the stream at once, whatever it is doing. */
  signal?: AbortSignal
  /** Results that may wait here unread before the server holds back. @default 8, with delivery latest 2 */
  readAhead?: number
  /**
   * Whether the stream goes on over another socket when it loses one, for as long as the server keeps its session, and
   * moves when its server leaves. The session is freed by `close` and `abort`. @default true
   */
  resumable?: boolean
  /** What connections show: a key; or a function that is called before each, 0 being the first, to fetch a ticket for it. */
  credentials?: Credentials | ((attempt: number) => Credentials | Promise<Credentials>)
  /** Told what becomes of the connection. It must not throw. @default warns on the console of a sender that is `held` */
  onConnection?: (event: ConnectionEvent) => void
  /** Frames without outcome that are kept, to be sent again, in bytes; more are not sent. @default 64 MiB */
  keepBytes?: number
  /** The last frames with one, from which a server can make a lost latent cache anew, in bytes. @default 16 MiB */
  replayBytes?: number
}

/**
 * Connect and open a session. Throws what the server refuses it with, CONNECTION_LOST, ANSWER_UNEXPECTED, or the signal's
 * reason.
 */
export async function connectStream(options: StreamOptions): Promise<DepthStream> {
  const { signal = new AbortController().signal, config = {}, credentials = {} } = options
  const shown = typeof credentials === 'function' ? credentials : () => credentials
  const urls = [options.url].flat().map(streamUrl)
  let numDialled = 0
  if (options.resume && (options.config ?? options.context))
    throw new LeadlineError('REQUEST_INVALID', 'With resume leave out config and context')
  signal.throwIfAborted()
  const stream = new SocketStream({
    dial: async (attempt, ended) => {
      const url = urls[numDialled++ % urls.length] ?? noUrl()
      return openSocket(url, await shown(attempt), ended)
    },
    config,
    context: options.context ?? null,
    resume: options.resume,
    readAhead: options.readAhead,
    isResumable: options.resumable ?? true,
    keepBytes: options.keepBytes ?? 2 ** 26,
    replayBytes: options.replayBytes ?? 2 ** 24,
    onConnection: options.onConnection ?? warnOfHeld,
    random: Math.random
  })
  await stream.open(signal)
  const onAbort = () => stream.abort(signal.reason)
  signal.addEventListener('abort', onAbort)
  void stream.ended.then(() => signal.removeEventListener('abort', onAbort))
  if (signal.aborted) onAbort()
  return stream
}

/** Without it a program that never reads would stand still without a word. */
function warnOfHeld({ type }: ConnectionEvent): void {
  if (type === 'held')
    // eslint-disable-next-line no-console -- whoever wants it elsewhere gives `onConnection`
    console.warn('leadline: send waits; read `results` or `outcomes` while sending')
}

function noUrl(): never {
  throw new LeadlineError('REQUEST_INVALID', 'url is an empty list; name at least one server')
}
