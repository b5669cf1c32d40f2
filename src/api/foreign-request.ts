import { isIP } from 'node:net'
import { LeadlineError } from '../errors.ts'
import { isLoopback } from '../machine/loopback.ts'

/** Whom a server lets in; see LEADLINE_HOST, LEADLINE_ALLOWED_HOSTS and LEADLINE_ALLOWED_ORIGINS. */
export interface Doors {
  host: string
  allowedHosts: readonly string[]
  allowedOrigins: readonly string[]
}

/** What a browser says of a request; other clients need not send an Origin. */
export interface Caller {
  origin: string | undefined
  host: string | undefined
}

/**
 * Why a request is refused that a web page may have been made to send, or null. A foreign page betrays itself by its
 * Origin; one that has turned a name of its own to this server (DNS rebinding) by its Host. An address as Host cannot be
 * turned, and a server that listens beyond loopback has names that it cannot know.
 */
export function foreignFault({ origin, host }: Caller, doors: Doors): LeadlineError | null {
  if (host !== undefined && !isKnownHost(host, doors)) {
    const detail = `"${host}" is not a name of this server; if it is to be one, add it to LEADLINE_ALLOWED_HOSTS`
    return new LeadlineError('HOST_FORBIDDEN', detail)
  }
  if (origin === undefined || isKnownOrigin(origin, host, doors)) return null
  const detail = `Pages of "${origin}" may not use this server; if they are to, add it to LEADLINE_ALLOWED_ORIGINS`
  return new LeadlineError('ORIGIN_FORBIDDEN', detail)
}

function isKnownHost(header: string, { host, allowedHosts }: Doors): boolean {
  if (allowedHosts.includes('*') || (allowedHosts.length === 0 && !isLoopback(host))) return true
  const name = parse(`http://${header}`)?.hostname
  if (name === undefined) return false
  return isAddress(name) || isLoopback(name) || [host, ...allowedHosts].includes(name.replace(/\.$/, ''))
}

function isKnownOrigin(origin: string, host: string | undefined, { allowedOrigins }: Doors): boolean {
  if (allowedOrigins.includes('*') || allowedOrigins.includes(origin)) return true
  const url = parse(origin)
  if (url === null) return false
  // The scheme is the origin's: behind a proxy that ends TLS the server does not know its own.
  return isLoopback(url.hostname) || parse(`${url.protocol}//${host}`)?.host === url.host
}

function isAddress(name: string): boolean {
  return isIP(name.replace(/^\[|\]$/g, '')) !== 0
}

function parse(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null
}
