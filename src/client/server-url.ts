import { LeadlineError } from '../errors.ts'

const streamPath = 'v1/stream'

/**
 * Where the paths of a server begin, as `http` and with a slash at the end: any path in front of them is kept, and that of
 * the stream is left out. Throws REQUEST_INVALID.
 */
export function serverUrl(address: string | URL): URL {
  const url = parse(address)
  url.protocol = url.protocol.replace('ws', 'http')
  url.pathname = url.pathname.replace(new RegExp(`/(${streamPath})?$`), '') + '/'
  url.search = ''
  url.hash = ''
  return url
}

/** Address of the stream of the server at `address`: `http` becomes `ws`, a query stays. Throws REQUEST_INVALID. */
export function streamUrl(address: string | URL): URL {
  const url = new URL(streamPath, serverUrl(address))
  url.protocol = url.protocol.replace('http', 'ws')
  url.search = parse(address).search
  return url
}

function parse(address: string | URL): URL {
  if (URL.canParse(address)) {
    const url = new URL(address)
    if (/^(ws|http)s?:$/.test(url.protocol)) return url
  }
  throw new LeadlineError(
    'REQUEST_INVALID',
    `"${address}" is not the address of a server; write ws://host:port or wss://host`
  )
}
