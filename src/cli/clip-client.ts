import { createReadStream, createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import { serverUrl } from '../client/index.ts'
import { LeadlineError } from '../errors.ts'
import type { VideoWarning } from '../video/index.ts'
import type { ReachedServer } from './own-server.ts'
import { requestServer } from './server-request.ts'

/** What the server says of a clip; openapi.yaml describes it. */
export interface RemoteClip {
  id: string
  state: 'queued' | 'running' | 'done' | 'failed'
  progress: { frames: number; frameCount: number | null }
  /** Absent of a server that does not know them. */
  warnings?: VideoWarning[]
  blankFrames?: number
  failure: { code: string; title: string; detail: string } | null
  links: { self: URL; results: Record<string, URL> }
}

/** Clips of a server over REST. Every method throws LeadlineErrors with the server's code, or those of `connectStream`. */
export class ClipClient {
  readonly #base: URL
  readonly #key: string | null
  readonly #signal: AbortSignal

  /** `url` may be that of the stream as well. */
  constructor({ url, key }: Pick<ReachedServer, 'url' | 'key'>, signal: AbortSignal) {
    this.#base = serverUrl(url)
    this.#key = key
    this.#signal = signal
  }

  async create(videoPath: string, query: URLSearchParams): Promise<RemoteClip> {
    const { size } = await stat(videoPath)
    const body = Readable.toWeb(createReadStream(videoPath)) as unknown as BodyInit
    const headers = { 'content-type': 'application/octet-stream', 'content-length': String(size) }
    const url = new URL(`v1/clips?${query}`, this.#base)
    return clipOf(await this.#request(url, { method: 'POST', body, headers, duplex: 'half' }))
  }

  async get({ links }: RemoteClip): Promise<RemoteClip> {
    return clipOf(await this.#request(links.self))
  }

  async download(link: URL, filePath: string): Promise<void> {
    const { body } = await this.#request(link)
    if (body === null) throw new LeadlineError('CONNECTION_LOST', `${link} came without a body`)
    await pipeline(Readable.fromWeb(body as ReadableStream), createWriteStream(filePath), {
      signal: this.#signal
    })
  }

  async remove({ links }: RemoteClip): Promise<void> {
    await this.#request(links.self, { method: 'DELETE' })
  }

  #request(url: URL, init: RequestInit & { duplex?: 'half' } = {}): Promise<Response> {
    // A link may lead elsewhere.
    const key = url.origin === this.#base.origin ? this.#key : null
    return requestServer(url, { ...init, key, signal: this.#signal })
  }
}

/** Its links, which are relative to where it was got from, as addresses. */
async function clipOf(response: Response): Promise<RemoteClip> {
  const clip = (await response.json()) as Omit<RemoteClip, 'links'> & {
    links: { self: string; results: Record<string, string> }
  }
  const at = (link: string) => new URL(link, response.url)
  const results = Object.entries(clip.links.results).map(([name, link]) => [name, at(link)] as const)
  return { ...clip, links: { self: at(clip.links.self), results: Object.fromEntries(results) } }
}
