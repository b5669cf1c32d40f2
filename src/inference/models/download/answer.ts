import { LeadlineError } from '../../../errors.ts'

/** What is on disk already, and what the server said about the file when that was downloaded. */
export interface Have {
  bytes: number
  /** Strong ETag or Last-Modified; null: what is here cannot be continued. */
  validator: string | null
  /** Size of the whole file, where the server told it. */
  totalBytes: number | null
}

/** What a response means for what is on disk. */
export type Answer =
  | { kind: 'body'; from: number; totalBytes: number | null; validator: string | null }
  | { kind: 'complete' }
  /** The file at the address is another one by now: begin again, without a range. */
  | { kind: 'changed' }
  /** The server cannot just now: trying again may help. */
  | { kind: 'unavailable'; reason: string }

export interface Limits {
  /** Largest file accepted. */
  maxBytes: number
}

/** Headers of a request for the rest of the file (RFC 9110, 13.1.5 and 14.2): the whole, should it have changed. */
export function requestHeaders({ bytes, validator }: Have): Record<string, string> {
  // A length and a range count encoded bytes, so no encoding may come between.
  const plain = { 'accept-encoding': 'identity' }
  if (bytes === 0 || validator === null) return plain
  return { ...plain, range: `bytes=${bytes}-`, 'if-range': validator }
}

/** Throws DOWNLOAD_FAILED for answers that no further try will change. */
export function readAnswer({ status, headers }: Response, have: Have, url: string, limits: Limits): Answer {
  if (status === 416) return isComplete(headers, have) ? { kind: 'complete' } : { kind: 'changed' }
  if (status === 429 || status >= 500) return { kind: 'unavailable', reason: `the server answered ${status}` }
  if (status !== 200 && status !== 206) throw failed(`${url} answered ${status}; ${remedy(status)}`)
  checkContent(headers, url)
  const { from, totalBytes } = status === 206 ? contentRange(headers, url) : wholeFile(headers)
  const validator = validatorOf(headers)
  if (status === 206 && isOther({ from, totalBytes, validator }, have)) return { kind: 'changed' }
  if (totalBytes !== null && totalBytes > limits.maxBytes)
    throw failed(`${url} has ${totalBytes} bytes, more than the ${limits.maxBytes} of a checkpoint; check the address`)
  return { kind: 'body', from, totalBytes, validator }
}

function isComplete(headers: Headers, { bytes }: Have): boolean {
  return headers.get('content-range') === `bytes */${bytes}`
}

/** A part that does not continue what is here, from a server that answers ranges whatever If-Range says. */
function isOther(part: { from: number; totalBytes: number | null; validator: string | null }, have: Have): boolean {
  const isResized = have.totalBytes !== null && part.totalBytes !== null && part.totalBytes !== have.totalBytes
  return part.from !== have.bytes || isResized || (part.validator !== null && part.validator !== have.validator)
}

function checkContent(headers: Headers, url: string): void {
  if (headers.get('content-type')?.startsWith('text/html') === true)
    throw failed(
      `${url} is a web page, not a file; give the link of the file itself, on Hugging Face with /resolve/ instead of /blob/`
    )
  const encoding = headers.get('content-encoding') ?? 'identity'
  if (encoding !== 'identity')
    throw failed(`${url} comes encoded as ${encoding} though not asked for; download it otherwise and add the path`)
}

function contentRange(headers: Headers, url: string): { from: number; totalBytes: number | null } {
  const text = headers.get('content-range') ?? ''
  const match = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(text)
  if (match === null)
    throw failed(`${url} answered with the range "${text}", which is none; download it otherwise and add the path`)
  return { from: Number(match[1]), totalBytes: match[2] === '*' ? null : Number(match[2]) }
}

function wholeFile(headers: Headers): { from: number; totalBytes: number | null } {
  const length = headers.get('content-length')
  return { from: 0, totalBytes: length === null ? null : Number(length) }
}

/** If-Range takes strong validators only: a weak ETag says "much the same". */
function validatorOf(headers: Headers): string | null {
  const etag = headers.get('etag')
  return etag === null || etag.startsWith('W/') ? headers.get('last-modified') : etag
}

function remedy(status: number): string {
  if (status === 401 || status === 403)
    return 'it is not public; download it where you are signed in and add the path'
  if (status === 404 || status === 410) return 'there is no such file, check the address'
  return 'give the address of the file itself'
}

export function failed(detail: string, cause?: unknown): LeadlineError {
  return new LeadlineError('DOWNLOAD_FAILED', detail, { cause })
}
