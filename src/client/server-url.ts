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

/** `host:port` is a server too, over http: `localhost:8042` would be a URL of the scheme `localhost`. */
function parse(address: string | URL): URL {
  const text = String(address).trim()
  const whole = /^[^\s/?#@:[\]\\]+(:\d+)?([/?#]|$)|^\[/.test(text) ? `http://${text}` : text
  if (/^(ws|http)s?:\/\/./i.test(whole) && URL.canParse(whole)) return new URL(whole)
  throw new LeadlineError(
    'REQUEST_INVALID',
    `"${text}" is not the address of a server; write host:port, ws://host:port or wss://host`
  )
}
