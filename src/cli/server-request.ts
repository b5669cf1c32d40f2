import { refusalError } from '../client/index.ts'
import { LeadlineError } from '../errors.ts'

export interface ServerRequest extends RequestInit {
  /** Shown to the server; null: none. */
  key: string | null
  signal: AbortSignal
  duplex?: 'half'
}

/** The answer of a server, unless it refused. Throws LeadlineErrors with the server's code, or those of `connectStream`. */
export async function requestServer(url: URL, { key, signal, ...init }: ServerRequest): Promise<Response> {
  const shown = new Headers(init.headers)
  if (key !== null) shown.set('authorization', `Bearer ${key}`)
  const response = await fetch(url, { ...init, headers: shown, signal }).catch((cause: unknown) => {
    signal.throwIfAborted()
    throw new LeadlineError('CONNECTION_LOST', `${url.origin} cannot be reached${reasonOf(cause)}`, { cause })
  })
  if (response.ok) return response
  const { status, statusText: reason, headers } = response
  const server = headers.get('server') ?? undefined
  throw refusalError({
    url,
    status,
    reason,
    headers: { server },
    body: await response.text().catch(() => '')
  })
}

/** `fetch` itself only ever says that it failed. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  return `${cause instanceof Error ? `: ${cause.message}` : ''}; is the server running?`
}
