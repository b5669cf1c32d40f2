import { refusalError } from '../client/index.ts'
import { LeadlineError } from '../errors.ts'

/** The answer of a server, unless it refused. Throws LeadlineErrors with the server's code, or those of `connectStream`. */
export async function requestServer(
  url: URL,
  { signal, ...init }: RequestInit & { duplex?: 'half'; signal: AbortSignal }
): Promise<Response> {
  const response = await fetch(url, { ...init, signal }).catch((cause: unknown) => {
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
