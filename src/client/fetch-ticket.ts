import { requestServer } from './server-request.ts'
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
  const response = await requestServer(address, { method: 'POST', key, signal })
  return ((await response.json()) as { ticket: string }).ticket
}
