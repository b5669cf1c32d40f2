import type http from 'node:http'
import { LeadlineError } from '../../errors.ts'
import { ForbiddenAddressError, requestWeb, webAddress } from '../../machine/web-request.ts'
import { Pace, minBytesPerSecond } from './pace.ts'

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

/**
 * The bytes at an address of the public network, as they come; each redirect is looked at as the address itself was. Throws
 * URL_FORBIDDEN, DOWNLOAD_FAILED.
 */
export async function* fetchVideo(
  address: string,
  limits: FetchLimits
): AsyncGenerator<Uint8Array, void, undefined> {
  const signal = AbortSignal.timeout(limits.totalMs)
  const response = await follow(address, limits, signal)
  const pace = new Pace()
  try {
    for await (const piece of response as AsyncIterable<Uint8Array>) {
      yield piece
      pace.add(piece.byteLength)
      if (pace.isTooSlow) throw failed(address, `it sends less than ${minBytesPerSecond} bytes a second`)
    }
  } catch (error) {
    throw named(address, error, signal)
  } finally {
    response.destroy()
  }
}

async function follow(
  address: string,
  { allowedNetworks, silenceMs }: FetchLimits,
  signal: AbortSignal
): Promise<http.IncomingMessage> {
  const headers = { accept: '*/*', 'accept-encoding': 'identity' }
  let url = checked(address)
  for (let hop = 0; hop <= maxRedirects; hop++) {
    const asked = requestWeb(url, { headers, allowedNetworks, silenceMs, signal })
    const response = await asked.catch((error: unknown) => {
      throw named(address, error, signal)
    })
    const { statusCode = 0, headers: answered } = response
    if (statusCode === 200) return response
    response.destroy()
    if (!redirects.has(statusCode) || answered.location === undefined)
      throw failed(address, `${url.host} answered ${statusCode}`)
    url = checked(answered.location, url)
  }
  throw failed(address, `it was sent on more than ${maxRedirects} times`)
}

function checked(address: string, base?: URL): URL {
  try {
    return webAddress(address, base)
  } catch (error) {
    throw forbidden(URL.canParse(address, base) ? shown(new URL(address, base)) : address, reasonOf(error))
  }
}

/** Without a user or password. */
function shown(url: URL): string {
  return url.username === '' && url.password === '' ? url.href : url.host
}

function named(address: string, error: unknown, signal: AbortSignal): LeadlineError {
  if (error instanceof LeadlineError) return error
  if (error instanceof ForbiddenAddressError) return forbidden(address, error.message)
  return failed(address, signal.aborted ? 'it takes too long' : codeOf(error))
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : reasonOf(error)
}

function reasonOf(error: unknown): string {
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
