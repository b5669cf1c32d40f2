import { createReadStream, createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import { isErrorCode, LeadlineError } from '../errors.ts'
import type { VideoWarning } from '../video/index.ts'

/** What the server says of a clip; openapi.yaml describes it. */
export interface RemoteClip {
  id: string
  state: 'queued' | 'running' | 'done' | 'failed'
  progress: { frames: number; frameCount: number | null }
  /** Absent of a server that does not know them. */
  warnings?: VideoWarning[]
  failure: { code: string; title: string; detail: string } | null
  links: { self: string; results: Record<string, string> }
}

/** Clips of a server over REST. Every method throws LeadlineErrors with the server's code, or CONNECTION_LOST. */
export class ClipClient {
  readonly #base: URL
  readonly #signal: AbortSignal

  /** `address` may be that of the stream as well: ws becomes http. */
  constructor(address: string, signal: AbortSignal) {
    this.#base = new URL(address.replace(/^ws/, 'http'))
    this.#signal = signal
  }

  async create(videoPath: string, query: URLSearchParams): Promise<RemoteClip> {
    const { size } = await stat(videoPath).catch((cause: unknown) => {
      throw new LeadlineError('CLIP_INVALID', `${videoPath} cannot be read`, { cause })
    })
    const body = Readable.toWeb(createReadStream(videoPath)) as unknown as BodyInit
    const headers = { 'content-type': 'application/octet-stream', 'content-length': String(size) }
    const response = await this.#request(`/v1/clips?${query}`, {
      method: 'POST',
      body,
      headers,
      duplex: 'half'
    })
    return (await response.json()) as RemoteClip
  }

  async get(clip: RemoteClip): Promise<RemoteClip> {
    return (await (await this.#request(clip.links.self)).json()) as RemoteClip
  }

  async download(link: string, filePath: string): Promise<void> {
    const { body } = await this.#request(link)
    if (body === null) throw new LeadlineError('CONNECTION_LOST', `${link} came without a body`)
    await pipeline(Readable.fromWeb(body as ReadableStream), createWriteStream(filePath), {
      signal: this.#signal
    })
  }

  async remove(clip: RemoteClip): Promise<void> {
    await this.#request(clip.links.self, { method: 'DELETE' })
  }

  async #request(link: string, init: RequestInit & { duplex?: 'half' } = {}): Promise<Response> {
    const url = new URL(link, this.#base)
    const response = await fetch(url, { ...init, signal: this.#signal }).catch((cause: unknown) => {
      this.#signal.throwIfAborted()
      throw new LeadlineError('CONNECTION_LOST', `${url.origin} cannot be reached; is the server running?`, {
        cause
      })
    })
    if (response.ok) return response
    throw await refusal(response)
  }
}

/** The server's problem document as an error. */
async function refusal(response: Response): Promise<LeadlineError> {
  const problem: unknown = await response.json().catch(() => null)
  const { code, detail } = (problem ?? {}) as { code?: unknown; detail?: unknown }
  const known = typeof code === 'string' && isErrorCode(code) ? code : 'INTERNAL'
  return new LeadlineError(
    known,
    typeof detail === 'string' ? detail : `The server answered with status ${response.status}`
  )
}
