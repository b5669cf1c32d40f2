import type { Clip } from '../../client/clips/index.ts'
import { ClipsClient, LeadlineError } from '../../client/clips/index.ts'
import { errorTitles } from '../../error-titles.ts'
import { part } from '../dom.ts'
import type { Server } from '../server.ts'

const results = ['side-by-side.mp4', 'depth.mp4', 'npz'] as const

/** A whole video, sent as a file: how far it is, and what became of it. One at a time. */
export class ClipPanel {
  readonly #server: Server
  readonly #file = part('clip-file', HTMLInputElement)
  readonly #choose = part('clip-choose', HTMLButtonElement)
  readonly #progress = part('clip-progress', HTMLProgressElement)
  readonly #note = part('clip-note', HTMLElement)
  readonly #video = part('clip-video', HTMLVideoElement)
  readonly #links = part('clip-links', HTMLElement)
  #running: AbortController | null = null

  constructor(server: Server) {
    this.#server = server
    this.#choose.addEventListener('click', () => {
      if (this.#running === null) this.#file.click()
      else this.#running.abort(new Error('cancelled'))
    })
    this.#file.addEventListener('change', () => {
      const [file] = this.#file.files ?? []
      if (file !== undefined) void this.#run(file)
      this.#file.value = ''
    })
  }

  async #run(file: File): Promise<void> {
    const running = new AbortController()
    this.#begin(running)
    const { signal } = running
    const clips = new ClipsClient({ url: this.#server.url, key: () => this.#server.key })
    let taken: Clip | null = null
    try {
      const onProgress = (sent: number, total: number) => this.#say(`Sending ${file.name}`, sent / total)
      taken = await clips.create(file, { results, onProgress, signal })
      for await (const clip of clips.follow(taken, { signal })) await this.#show(clip)
    } catch (error) {
      this.#say(signal.aborted ? 'Cancelled' : wordsOf(error), null)
      if (signal.aborted && taken !== null) await clips.cancel(taken).catch(() => undefined)
    } finally {
      this.#running = null
      this.#choose.textContent = 'Choose a video'
      this.#progress.hidden = true
    }
  }

  #begin(running: AbortController): void {
    this.#running = running
    this.#choose.textContent = 'Cancel'
    this.#video.hidden = true
    this.#links.replaceChildren()
    this.#progress.hidden = false
  }

  async #show(clip: Clip): Promise<void> {
    const { frames, frameCount } = clip.progress
    if (clip.state === 'queued') return this.#say('Waiting for its turn', null)
    if (clip.state === 'cancelled') return this.#say('Cancelled', null)
    if (clip.state === 'failed')
      return this.#say(clip.failure ? `${clip.failure.title}: ${clip.failure.detail}` : 'It failed', null)
    const of = frameCount === null ? '' : ` of ${frameCount}`
    if (clip.state === 'running')
      return this.#say(`Frame ${frames}${of}`, frameCount === null ? null : frames / frameCount)
    this.#say(`Done: ${frames} frames`, 1)
    for (const [name, link] of Object.entries(clip.links.results)) {
      const href = await this.#server.addressOf(link)
      if (name === 'side-by-side.mp4') this.#play(href)
      const anchor = Object.assign(document.createElement('a'), { href, download: '', textContent: name })
      this.#links.append(anchor)
    }
  }

  #play(href: string): void {
    this.#video.src = href
    this.#video.hidden = false
  }

  /** `share` null: how far it is cannot be told. */
  #say(text: string, share: number | null): void {
    this.#note.textContent = text
    if (share === null) this.#progress.removeAttribute('value')
    else this.#progress.value = share
  }
}

function wordsOf(error: unknown): string {
  return error instanceof LeadlineError ? `${errorTitles[error.code]}: ${error.message}` : String(error)
}
