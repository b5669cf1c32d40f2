import { isErrorCode, LeadlineError } from '../errors.ts'

/** An HTTP answer that is not the one hoped for. */
export interface Refusal {
  url: URL
  status: number
  /** Of the status line. */
  reason: string
  headers: { server?: string | undefined; location?: string | undefined }
  body: string
}

/** The server's problem document as an error; without one, what answered in its place, and what to do about that. */
export function refusalError(refusal: Refusal): LeadlineError {
  return problemOf(refusal.body) ?? foreignAnswer(refusal)
}

function problemOf(body: string): LeadlineError | null {
  const { code, detail, retryAfterMs } = parse(body)
  if (typeof code !== 'string' || typeof detail !== 'string') return null
  const options = typeof retryAfterMs === 'number' ? { retryAfterMs } : {}
  if (isErrorCode(code)) return new LeadlineError(code, detail, options)
  return new LeadlineError('INTERNAL', `${code}: ${detail}`, options)
}

function parse(body: string): { code?: unknown; detail?: unknown; retryAfterMs?: unknown } {
  try {
    return (JSON.parse(body) ?? {}) as object
  } catch {
    return {}
  }
}

function foreignAnswer({ url, status, reason, headers: { server, location } }: Refusal): LeadlineError {
  const who = server === undefined ? '' : ` (${server})`
  const what = `${url.protocol}//${url.host} answered ${status}${reason === '' ? '' : ` ${reason}`}${who}`
  if (location !== undefined)
    return new LeadlineError('ANSWER_UNEXPECTED', `${what}; it sends you to ${location}`)
  const isTemporary = [429, 502, 503, 504].includes(status)
  const code = isTemporary ? 'CONNECTION_LOST' : 'ANSWER_UNEXPECTED'
  return new LeadlineError(
    code,
    `${what}; ${remedies[status] ?? 'is this the address of a Leadline server?'}`
  )
}

const behind = 'is the server behind it running?'

const remedies: Readonly<Record<number, string>> = {
  401: 'it wants credentials that the server itself does not know',
  403: 'something in front of the server refuses you',
  404: 'there is no Leadline at this path',
  413: 'something in front of the server bounds uploads: raise its limit (client_max_body_size of nginx), or send less',
  426: 'something in front of the server does not pass WebSockets on; docs/proxies.md has the settings',
  429: 'you are asked to come less often',
  502: behind,
  503: behind,
  504: behind
}
