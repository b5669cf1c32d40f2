import { LeadlineError } from '../errors.ts'

/** Address of the stream: `http` becomes `ws`, and a bare server address gets the path. Throws REQUEST_INVALID. */
export function streamUrl(address: string | URL): URL {
  let url: URL
  try {
    url = new URL(address)
  } catch {
    throw refused(address)
  }
  url.protocol = url.protocol.replace('http', 'ws')
  if (!/^wss?:$/.test(url.protocol)) throw refused(address)
  if (url.pathname === '/') url.pathname = '/v1/stream'
  return url
}

function refused(address: string | URL): LeadlineError {
  return new LeadlineError(
    'REQUEST_INVALID',
    `"${address}" is not the address of a server; write ws://host:port or wss://host`
  )
}
