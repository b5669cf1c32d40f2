import { LeadlineError, refusalError } from '../../client/index.ts'
import type { Server } from '../server.ts'

/** What the server says of a clip; openapi.yaml describes it. Links are relative to where it was got from. */
export interface Clip {
  state: 'queued' | 'running' | 'done' | 'failed'
  progress: { frames: number; frameCount: number | null }
  failure: { title: string; detail: string } | null
  links: { self: string; results: Record<string, string> }
}

/** A clip, and the address that gave it. */
export interface ToldClip {
  clip: Clip
  url: URL
}

export interface UploadOptions {
  file: File
  query: URLSearchParams
  /** Share of the file that has gone out, from 0 to 1. */
  onProgress(share: number): void
  signal: AbortSignal
}

/** How often the server is asked how far it is. */
const askMs = 1000

/** By XMLHttpRequest, since `fetch` does not tell how much has gone out. Throws the server's refusal, or CONNECTION_LOST. */
export function uploadClip(
  server: Server,
  { file, query, onProgress, signal }: UploadOptions
): Promise<ToldClip> {
  const url = new URL(`v1/clips?${query}`, server.url)
  const request = new XMLHttpRequest()
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => request.abort(), { once: true })
    request.upload.addEventListener('progress', ({ loaded, total }) => onProgress(loaded / total))
    request.addEventListener('abort', () => reject(signal.reason))
    request.addEventListener('error', () =>
      reject(new LeadlineError('CONNECTION_LOST', 'The upload broke off; is the server running?'))
    )
    request.addEventListener('load', () => {
      const { status, statusText: reason, responseText: body } = request
      if (status === 202) resolve({ clip: JSON.parse(body) as Clip, url })
      else reject(refusalError({ url, status, reason, headers: {}, body }))
    })
    request.open('POST', url)
    for (const [name, value] of Object.entries(server.headers)) request.setRequestHeader(name, value)
    request.setRequestHeader('content-type', 'application/octet-stream')
    request.send(file)
  })
}

/** Each state of the clip until it is done or has failed. */
export async function* followClip(
  server: Server,
  { clip, url }: ToldClip,
  signal: AbortSignal
): AsyncGenerator<ToldClip, void, undefined> {
  const self = new URL(clip.links.self, url)
  for (;;) {
    const told = (await (await server.request(self, { signal })).json()) as Clip
    yield { clip: told, url: self }
    if (told.state === 'done' || told.state === 'failed') return
    await new Promise((resolve) => setTimeout(resolve, askMs))
    signal.throwIfAborted()
  }
}
