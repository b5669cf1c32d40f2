import { LeadlineError } from '../../errors.ts'
import type { ErrorCode } from '../../errors.ts'
import { backoffMs } from '../backoff.ts'
import { pause } from '../pause.ts'
import type { ServerRequest } from '../server-request.ts'
import type { ClipWishes } from './clip.ts'
import { queryOf } from './clip.ts'

/** A file, or what can be read in pieces like one. */
export interface ClipSource {
  /** Bytes. */
  readonly size: number
  slice(from: number, to: number): { arrayBuffer(): Promise<ArrayBuffer> }
}

export interface UploadOptions {
  wishes: ClipWishes
  /** See `CreateOptions`. */
  resumeKey?: string | undefined
  patienceMs: number
  onProgress: (sent: number, total: number) => void
  signal: AbortSignal | undefined
}

/** Asks the server that has the clips. */
export type Ask = (url: URL, init: Omit<ServerRequest, 'key'>) => Promise<Response>

/** A part takes about a second, on whatever network: a cut costs no more, and each tells how far it is. */
const partMs = 1000
const [leastPart, firstPart, mostPart] = [2 ** 18, 2 ** 20, 2 ** 24]
/** Of a beginning, which nothing is lost with. */
const triesToBegin = 3

/** Where an upload is, and where its clip is once there is one. */
interface Place {
  url: URL
  offset: number
  clip: URL | null
}

/**
 * Send a video in parts by tus, and go on after whatever breaks off, for as long as something goes through within `patienceMs`.
 * The result is the address of the clip. Throws what the server refuses it with, CONNECTION_LOST, and the signal's reason.
 */
export async function uploadClip(
  ask: Ask,
  { all, source }: { all: URL; source: ClipSource },
  options: UploadOptions
): Promise<URL> {
  const { patienceMs, onProgress, signal } = options
  let place = await begin(ask, { all, source }, options)
  let part = firstPart
  let failures = 0
  let movedAtMs = performance.now()
  let isCertain = true
  for (;;) {
    onProgress(place.offset, source.size)
    if (place.clip !== null) return place.clip
    const startMs = performance.now()
    const { offset } = place
    try {
      place = isCertain ? await send(ask, place, { source, part, signal }) : await look(ask, place, signal)
      if (isCertain) part = nextPart(part, performance.now() - startMs)
      isCertain = true
    } catch (error) {
      signal?.throwIfAborted()
      // A file that cannot be read, for one.
      if (!(error instanceof LeadlineError)) throw error
      if (error.code === 'UPLOAD_UNKNOWN') {
        // Deleted there, or with another gateway that shares nothing with this one.
        place = await begin(ask, { all, source }, { ...options, resumeKey: undefined })
      } else if (goesOn(error)) {
        isCertain = false
        part = Math.max(leastPart, part / 2)
        await pause(backoffMs(failures++, Math.random(), error.retryAfterMs), signal)
      } else throw error
      if (performance.now() - movedAtMs > patienceMs) throw error
    }
    if (place.offset > offset) [failures, movedAtMs] = [0, performance.now()]
  }
}

const elsewhere: ReadonlySet<ErrorCode> = new Set(['UPLOAD_OFFSET', 'UPLOAD_TAKEN', 'IDEMPOTENCY_PENDING'])

/** Also where the part was sent to the wrong place: the server says which is right. */
function goesOn({ code, isTemporary }: LeadlineError): boolean {
  return isTemporary || elsewhere.has(code)
}

function nextPart(part: number, tookMs: number): number {
  const next = tookMs < partMs ? part * 2 : tookMs > partMs * 4 ? part / 2 : part
  return Math.min(mostPart, Math.max(leastPart, next))
}

async function begin(
  ask: Ask,
  { all, source }: { all: URL; source: ClipSource },
  { wishes, resumeKey, signal }: UploadOptions
): Promise<Place> {
  const url = new URL(`v1/uploads?${queryOf(wishes)}`, all)
  // With a key of before it may be there, whole or in part: so nothing is sent along.
  const isSmall = resumeKey === undefined && source.size <= firstPart
  const body = isSmall ? await source.slice(0, source.size).arrayBuffer() : undefined
  let key = resumeKey ?? crypto.randomUUID()
  for (let tries = 1; ; tries++) {
    const headers = {
      ...version,
      'upload-length': String(source.size),
      'idempotency-key': key,
      ...(isSmall ? type : {})
    }
    try {
      const response = await ask(url, { method: 'POST', headers, body: body ?? null, signal })
      const place = placeOf(response, url, new URL(response.headers.get('location') ?? '', url))
      if (resumeKey === undefined || place.clip === null) return place
      // One of before, which was sent to its end.
      ;[key, resumeKey] = [crypto.randomUUID(), undefined]
    } catch (error) {
      signal?.throwIfAborted()
      if (!(error instanceof LeadlineError)) throw error
      const { code, retryAfterMs } = error
      if (code === 'UPLOAD_UNKNOWN') [key, resumeKey] = [crypto.randomUUID(), undefined]
      else if (code !== 'CONNECTION_LOST' && code !== 'IDEMPOTENCY_PENDING') throw error
      if (tries === triesToBegin) throw error
      await pause(backoffMs(tries, Math.random(), retryAfterMs), signal)
    }
  }
}

async function send(
  ask: Ask,
  { url, offset }: Place,
  { source, part, signal }: { source: ClipSource; part: number; signal: AbortSignal | undefined }
): Promise<Place> {
  const body = await source.slice(offset, Math.min(source.size, offset + part)).arrayBuffer()
  const headers = { ...version, ...type, 'upload-offset': String(offset) }
  return placeOf(await ask(url, { method: 'PATCH', headers, body, signal }), url, url)
}

async function look(ask: Ask, { url }: Place, signal: AbortSignal | undefined): Promise<Place> {
  return placeOf(await ask(url, { method: 'HEAD', headers: version, signal }), url, url)
}

const version = { 'tus-resumable': '1.0.0' }
const type = { 'content-type': 'application/offset+octet-stream' }

function placeOf({ headers }: Response, at: URL, url: URL): Place {
  const offset = headers.get('upload-offset')
  if (offset === null)
    throw new LeadlineError(
      'ANSWER_UNEXPECTED',
      `${at.origin} says nothing of the upload; is something in front of it that takes headers away?`
    )
  const clip = headers.get('x-leadline-clip')
  return { url, offset: Number(offset), clip: clip === null ? null : new URL(clip, at) }
}
