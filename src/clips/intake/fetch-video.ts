import http from 'node:http'
import https from 'node:https'
import { useAgent } from 'request-filtering-agent'
import { LeadlineError } from '../../errors.ts'

export interface FetchLimits {
  /** Private addresses that may be fetched from all the same: single ones, or networks as 10.0.0.0/8. */
  allowedNetworks: readonly string[]
  /** How long nothing may come. */
  silenceMs: number
  /** For all of it. */
  totalMs: number
}

const maxRedirects = 5
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])
/** What comes slower on the whole holds a place for too long. */
const minBytesPerSecond = 16_384
/** Before that nobody knows how fast it comes. */
const paceMs = 10_000

/**
 * The bytes at an address of the public network, as they come. Whatever a name or a redirect leads to is looked at when the
 * connection is made, so that no answer of a name server can differ from what was looked at: loopback, private, link-local
 * and metadata addresses are refused. Throws URL_FORBIDDEN, DOWNLOAD_FAILED.
 */
export async function* fetchVideo(
  address: string,
  limits: FetchLimits
): AsyncGenerator<Uint8Array, void, undefined> {
  const signal = AbortSignal.timeout(limits.totalMs)
  const response = await follow(address, limits, signal)
  const startMs = performance.now()
  let bytes = 0
  try {
    for await (const piece of response as AsyncIterable<Uint8Array>) {
      yield piece
      bytes += piece.byteLength
      const ms = performance.now() - startMs
      if (ms > paceMs && bytes * 1000 < ms * minBytesPerSecond)
        throw failed(address, `it sends less than ${minBytesPerSecond} bytes a second`)
    }
  } catch (error) {
    throw named(address, error, signal)
  } finally {
    response.destroy()
  }
}

async function follow(
  address: string,
  limits: FetchLimits,
  signal: AbortSignal
): Promise<http.IncomingMessage> {
  let url = checked(address)
  for (let hop = 0; hop <= maxRedirects; hop++) {
    const response = await request(url, limits, signal).catch((error: unknown) => {
      throw named(address, error, signal)
    })
    const { statusCode = 0, headers } = response
    if (statusCode === 200) return response
    response.destroy()
    if (!redirects.has(statusCode) || headers.location === undefined)
      throw failed(address, `${url.host} answered ${statusCode}`)
    url = checked(headers.location, url)
  }
  throw failed(address, `it was sent on more than ${maxRedirects} times`)
}

/** Without cookies or credentials of any kind, and not from a cache of connections. */
function request(url: URL, { allowedNetworks, silenceMs }: FetchLimits, signal: AbortSignal) {
  const agent = useAgent(url.href, { keepAlive: false, allowIPAddressList: [...allowedNetworks] })
  const { get } = url.protocol === 'https:' ? https : http
  return new Promise<http.IncomingMessage>((resolve, reject) => {
    const headers = { accept: '*/*', 'accept-encoding': 'identity' }
    const asked = get(url, { agent, signal, headers }, (response) => {
      asked.setTimeout(silenceMs, () => response.destroy(silent))
      resolve(response)
    })
    const silent = new Error(`nothing came for ${silenceMs} ms`)
    asked.on('error', reject)
    asked.setTimeout(silenceMs, () => asked.destroy(silent))
  })
}

/** Throws URL_FORBIDDEN for what is no plain address of the web. */
function checked(address: string, base?: URL): URL {
  if (!URL.canParse(address, base)) throw forbidden(address, 'is not an address')
  const url = new URL(address, base)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw forbidden(url.href, 'does not begin with https:// or http://')
  if (url.username !== '' || url.password !== '') throw forbidden(url.host, 'has a user or password in it')
  return url
}

/** What the agent refuses has no other mark than its text, which names what the address leads to: that is nobody's business. */
function named(address: string, error: unknown, signal: AbortSignal): LeadlineError {
  if (error instanceof LeadlineError) return error
  const reason = error instanceof Error ? error.message : String(error)
  if (reason.includes('is not allowed')) return forbidden(address, 'leads into a network that is not public')
  return failed(address, signal.aborted ? 'it takes too long' : codeOf(error))
}

function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error) return String(error.code)
  return error instanceof Error ? error.message : String(error)
}

function forbidden(address: string, why: string): LeadlineError {
  return new LeadlineError(
    'URL_FORBIDDEN',
    `"${address}" ${why}; send the video itself, or let the operator set LEADLINE_CLIP_URL_NETWORKS`
  )
}

function failed(address: string, why: string): LeadlineError {
  return new LeadlineError('DOWNLOAD_FAILED', `The video at ${address} could not be fetched: ${why}`)
}
