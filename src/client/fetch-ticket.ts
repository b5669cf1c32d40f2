import { LeadlineError } from '../errors.ts'
import { refusalError } from './refusal.ts'
import { serverUrl } from './server-url.ts'

export interface TicketWish {
  /** Of the server, as of a stream. */
  url: string | URL
  /** With scope `stream`. */
  key: string
  signal?: AbortSignal
}

/**
 * A ticket for one connection of a page, within 30 seconds: for the site that serves the page and has the key. The page
 * asks its site before each connection. Throws what the server refuses it with, CONNECTION_LOST, or the signal's reason.
 */
export async function fetchTicket({ url, key, signal }: TicketWish): Promise<string> {
  const address = new URL('v1/tickets', serverUrl(url))
  const headers = { authorization: `Bearer ${key}` }
  const init = { method: 'POST', headers, ...(signal === undefined ? {} : { signal }) }
  const response = await fetch(address, init).catch((cause: unknown) => {
    signal?.throwIfAborted()
    throw new LeadlineError(
      'CONNECTION_LOST',
      `${address.origin} cannot be reached; is the server running?`,
      { cause }
    )
  })
  const body = await response.text()
  if (response.status === 201) return (JSON.parse(body) as { ticket: string }).ticket
  const { status, statusText: reason } = response
  const server = response.headers.get('server') ?? undefined
  throw refusalError({ url: address, status, reason, headers: { server }, body })
}
