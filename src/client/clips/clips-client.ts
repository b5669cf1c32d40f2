import { asLeadlineError, isErrorCode, LeadlineError } from '../../errors.ts'
import { backoffMs } from '../backoff.ts'
import { pause } from '../pause.ts'
import type { ServerRequest } from '../server-request.ts'
import { requestServer } from '../server-request.ts'
import { serverUrl } from '../server-url.ts'
import { eventsOf } from './clip-events.ts'
import type { Clip, ClipState, ClipWishes, ResultName } from './clip.ts'
import { clipOf, hasEnded, queryOf } from './clip.ts'
import type { ClipSource } from './upload-clip.ts'
import { uploadClip } from './upload-clip.ts'

export interface ClipsOptions {
  /** Of the server, as of a stream: http, https, ws or wss. */
  url: string | URL
  /** `lk_…` with scope `clips`, or what gives it when it is needed; null: none. It is shown to this server alone. */
  key?: string | null | (() => string | null)
  /** How long nothing may go through, in milliseconds, before an upload or `follow` is given up. @default 300000 */
  patienceMs?: number
}

export interface CreateOptions extends ClipWishes {
  /** Bytes that the server has, of all of them. */
  onProgress?: (sent: number, total: number) => void
  /**
   * Names this file and what is wanted of it, so that an upload which was not sent to its end, by this program or one before, is
   * gone on with for a day. @default a new upload
   */
  resumeKey?: string
  signal?: AbortSignal | undefined
}

export interface ClipPage {
  /** Newest first. */
  clips: Clip[]
  /** Of the next page; null: this is the last. */
  cursor: string | null
}

export interface ListOptions {
  states?: readonly ClipState[]
  cursor?: string | null
  limit?: number
  signal?: AbortSignal | undefined
}

export interface FollowOptions {
  signal?: AbortSignal | undefined
}

/**
 * The clips of a server: whole videos, sent, followed, fetched. Everything throws LeadlineErrors with the server's code,
 * CONNECTION_LOST when there is nobody, and the signal's reason once it is aborted. A clip may be given by its id.
 */
export class ClipsClient {
  readonly #all: URL
  readonly #key: () => string | null
  readonly #patienceMs: number

  /** Throws REQUEST_INVALID where `url` is no address of a server. */
  constructor({ url, key = null, patienceMs = 300_000 }: ClipsOptions) {
    this.#all = serverUrl(url)
    this.#key = typeof key === 'function' ? key : () => key
    this.#patienceMs = patienceMs
  }

  /**
   * Send a video, or let the server fetch it from an address. A file goes in parts, and goes on where it was after the
   * connection broke, or the server was started anew. Resolves once the server has the clip, which then waits for its turn.
   */
  async create(video: ClipSource | URL | string, options: CreateOptions = {}): Promise<Clip> {
    const { onProgress = () => undefined, resumeKey, signal, ...wishes } = options
    if (typeof video === 'string' || video instanceof URL) return this.#fetched(String(video), wishes, signal)
    if (video.size === 0) throw new LeadlineError('CLIP_INVALID', 'The clip is empty; send a video')
    const upload = { wishes, resumeKey, onProgress, signal, patienceMs: this.#patienceMs }
    const ask = (url: URL, init: Omit<ServerRequest, 'key'>) => this.#ask(url, init)
    return this.#get(await uploadClip(ask, { all: this.#all, source: video }, upload), signal)
  }

  /** Throws CLIP_UNKNOWN, as all that names a clip. */
  get(clip: Clip | string, { signal }: FollowOptions = {}): Promise<Clip> {
    return this.#get(this.#at(clip), signal)
  }

  async list({ states = [], cursor = null, limit, signal }: ListOptions = {}): Promise<ClipPage> {
    const url = new URL('v1/clips', this.#all)
    if (states.length > 0) url.searchParams.set('state', states.join(','))
    if (cursor !== null) url.searchParams.set('cursor', cursor)
    if (limit !== undefined) url.searchParams.set('limit', String(limit))
    const response = await this.#ask(url, { signal })
    const page = (await response.json()) as { clips: unknown[]; cursor: string | null }
    return { clips: page.clips.map((document) => clipOf(document, response.url || url)), cursor: page.cursor }
  }

  /** The clip whenever it has changed, to its end, also when the connection breaks in between. */
  async *follow(clip: Clip | string, { signal }: FollowOptions = {}): AsyncGenerator<Clip, void, undefined> {
    const url = new URL(`${this.#at(clip).href}/events`)
    let heard = ''
    let failures = 0
    let heardAtMs = performance.now()
    for (;;) {
      try {
        const headers = heard === '' ? {} : { 'last-event-id': heard }
        const response = await this.#ask(url, { headers, signal })
        // Nothing more to tell.
        if (response.status === 204 || response.body === null) return
        for await (const { id, data } of eventsOf(response.body)) {
          ;[heard, failures, heardAtMs] = [id, 0, performance.now()]
          const told = clipOf(JSON.parse(data), response.url || url)
          yield told
          if (hasEnded(told)) return
        }
      } catch (error) {
        signal?.throwIfAborted()
        const isOver = performance.now() - heardAtMs > this.#patienceMs
        if (isOver || (error instanceof LeadlineError && !error.isTemporary)) throw error
      }
      await pause(backoffMs(failures++, Math.random()), signal)
    }
  }

  /** The clip once it is done. Throws what it failed with, and CLIP_FAILED when it was cancelled. */
  async finished(
    clip: Clip | string,
    { onState = () => undefined, signal }: FollowOptions & { onState?: (clip: Clip) => void } = {}
  ): Promise<Clip> {
    for await (const told of this.follow(clip, { signal })) {
      onState(told)
      if (told.state === 'done') return told
      if (told.failure !== null) throw failureOf(told.failure)
      if (told.state === 'cancelled') throw new LeadlineError('CLIP_FAILED', `Clip ${told.id} was cancelled`)
    }
    return this.get(clip, { signal })
  }

  /** Stop it; that it was there is kept. One that has ended stays as it is. */
  async cancel(clip: Clip | string, { signal }: FollowOptions = {}): Promise<Clip> {
    const url = new URL(`${this.#at(clip).href}/cancel`)
    const response = await this.#ask(url, { method: 'POST', signal })
    return clipOf(await response.json(), response.url || url)
  }

  /** Stop it if it runs, and delete it with its results. */
  async remove(clip: Clip | string, { signal }: FollowOptions = {}): Promise<void> {
    await this.#ask(this.#at(clip), { method: 'DELETE', signal })
  }

  /** Throws CLIP_NOT_READY, CLIP_FAILED, and CLIP_UNKNOWN where it was not asked for. */
  async result(clip: Clip | string, name: ResultName, options: FollowOptions = {}): Promise<Blob> {
    return (await this.openResult(clip, name, options)).blob()
  }

  /** The same, to be read as it comes. */
  openResult(clip: Clip | string, name: ResultName, { signal }: FollowOptions = {}): Promise<Response> {
    const link = typeof clip === 'string' ? undefined : clip.links.results[name]
    return this.#ask(link ?? new URL(`${this.#at(clip).href}/results/${name}`), { signal })
  }

  async #fetched(address: string, wishes: ClipWishes, signal: AbortSignal | undefined): Promise<Clip> {
    const url = new URL(`v1/clips?${queryOf(wishes)}`, this.#all)
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify({ url: address })
    const response = await this.#ask(url, { method: 'POST', headers, body, signal })
    return clipOf(await response.json(), response.url || url)
  }

  async #get(url: URL, signal: AbortSignal | undefined): Promise<Clip> {
    const response = await this.#ask(url, { signal })
    return clipOf(await response.json(), response.url || url)
  }

  #at(clip: Clip | string): URL {
    return typeof clip === 'string'
      ? new URL(`v1/clips/${encodeURIComponent(clip)}`, this.#all)
      : clip.links.self
  }

  /** A link may lead elsewhere, where the key is nobody's business. */
  #ask(url: URL, init: Omit<ServerRequest, 'key'>): Promise<Response> {
    const key = url.origin === this.#all.origin ? this.#key() : null
    return requestServer(url, { ...init, key })
  }
}

function failureOf({ code, detail }: NonNullable<Clip['failure']>): LeadlineError {
  return isErrorCode(code)
    ? new LeadlineError(code, detail)
    : asLeadlineError(new Error(`${String(code)}: ${detail}`))
}
