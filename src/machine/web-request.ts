import http from 'node:http'
import https from 'node:https'
import { useAgent } from 'request-filtering-agent'

/** An address that must not be asked; the message says why, and goes on behind the address. */
export class ForbiddenAddressError extends Error {
  override readonly name = 'ForbiddenAddressError'
}

/** Throws ForbiddenAddressError for what is no plain address of the web. */
export function webAddress(address: string, base?: URL): URL {
  if (!URL.canParse(address, base)) throw new ForbiddenAddressError('is not an address')
  const url = new URL(address, base)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new ForbiddenAddressError('does not begin with https:// or http://')
  if (url.username !== '' || url.password !== '')
    throw new ForbiddenAddressError('has a user or password in it')
  return url
}

export interface WebRequest {
  method?: 'GET' | 'POST'
  headers: Record<string, string>
  body?: string
  /** Private addresses that may be asked all the same: single ones, or networks as 10.0.0.0/8. */
  allowedNetworks: readonly string[]
  /** How long nothing may come. */
  silenceMs: number
  signal: AbortSignal
}

/**
 * Ask an address of the public network; a redirect is an answer like others. What the name leads to is looked at when the
 * connection is made, so that no answer of a name server can differ from what was looked at: loopback, private, link-local and
 * metadata addresses are refused with ForbiddenAddressError. Nothing is shown but `headers`, and no connection is kept.
 */
export function requestWeb(url: URL, options: WebRequest): Promise<http.IncomingMessage> {
  const { method = 'GET', headers, body, allowedNetworks, silenceMs, signal } = options
  const agent = useAgent(url.href, { keepAlive: false, allowIPAddressList: [...allowedNetworks] })
  const { request } = url.protocol === 'https:' ? https : http
  return new Promise<http.IncomingMessage>((resolve, reject) => {
    const asked = request(url, { method, agent, signal, headers }, (response) => {
      asked.setTimeout(silenceMs, () => response.destroy(silent))
      resolve(response)
    })
    const silent = new Error(`nothing came for ${silenceMs} ms`)
    asked.on('error', (error) => reject(named(error)))
    asked.setTimeout(silenceMs, () => asked.destroy(silent))
    asked.end(body)
  })
}

/** What the agent refuses has no other mark than its text, which names what the address leads to: that is nobody's business. */
function named(error: Error): Error {
  if (!error.message.includes('is not allowed')) return error
  return new ForbiddenAddressError('leads into a network that is not public')
}
