import { LeadlineError } from '../errors.ts'
import { refusalError } from './refusal.ts'

export interface ServerRequest extends Omit<RequestInit, 'signal'> {
  /** Shown to the server; null: none. */
  key: string | null
  signal?: AbortSignal | undefined
}

/**
 * The answer of a server, unless it refused. Throws LeadlineErrors with the server's code, CONNECTION_LOST when there is nobody,
 * ANSWER_UNEXPECTED when it is somebody else, and the signal's reason once it is aborted.
 */
export async function requestServer(url: URL, { key, signal, ...init }: ServerRequest): Promise<Response> {
  const shown = new Headers(init.headers)
  if (key !== null) shown.set('authorization', `Bearer ${key}`)
  const response = await fetch(url, { ...init, headers: shown, signal: signal ?? null }).catch(
    (cause: unknown) => {
      signal?.throwIfAborted()
      throw new LeadlineError('CONNECTION_LOST', `${url.origin} cannot be reached${reasonOf(cause)}`, {
        cause
      })
    }
  )
  if (response.ok) return response
  const { status, statusText: reason, headers } = response
  const server = headers.get('server') ?? undefined
  const body = await response.text().catch(() => '')
  throw refusalError({ url, status, reason, headers: { server }, body })
}

/** `fetch` itself only ever says that it failed. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  return `${cause instanceof Error ? `: ${cause.message}` : ''}; is the server running?`
}
