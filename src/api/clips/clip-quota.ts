import type { AccessKey, Caller } from '../../access/index.ts'
import type { Clips, Uploads } from '../../clips/index.ts'
import type { Config } from '../../config.ts'
import { LeadlineError } from '../../errors.ts'

export type ClipSize = Pick<Config, 'maxClipBytes' | 'maxClipFrames'>

export interface ClipQuotaOptions {
  clips: Pick<Clips, 'list'>
  uploads: Pick<Uploads, 'active'>
}

/** Of a key that has no limit of its own for clips, or of nobody: more are nothing that a client would need. */
const maxUnfinished = 1000

/** What clips a key may bring, beside what the server takes from anybody. */
export class ClipQuota {
  readonly #clips: Pick<Clips, 'list'>
  readonly #uploads: Pick<Uploads, 'active'>
  readonly #size: ClipSize
  /** By key, those on their way to this gateway. */
  readonly #coming = new Map<string, number>()

  constructor({ clips, uploads }: ClipQuotaOptions, { maxClipBytes, maxClipFrames }: ClipSize) {
    this.#clips = clips
    this.#uploads = uploads
    this.#size = { maxClipBytes, maxClipFrames }
  }

  /** The largest clip that this caller may bring. */
  sizeFor({ key }: Caller): ClipSize {
    const { clipBytes = Infinity, clipFrames = Infinity } = key?.limits ?? {}
    const { maxClipBytes, maxClipFrames } = this.#size
    return {
      maxClipBytes: Math.min(maxClipBytes, clipBytes),
      maxClipFrames: Math.min(maxClipFrames, clipFrames)
    }
  }

  /** Uploads of this caller that may be no clip yet. */
  unfinishedFor({ key }: Caller): number {
    return key?.limits.clips ?? maxUnfinished
  }

  /**
   * Take in one clip or upload more, unless as many of its key come, wait or run as may. Throws LIMIT_REACHED, and what `take`
   * throws.
   */
  async within<T>({ key }: Caller, take: () => Promise<T>): Promise<T> {
    const limit = key?.limits.clips
    if (key === null || limit === undefined) return take()
    const coming = this.#coming.get(key.id) ?? 0
    this.#coming.set(key.id, coming + 1)
    try {
      await this.#check(key, limit, coming)
      return await take()
    } finally {
      const left = (this.#coming.get(key.id) ?? 1) - 1
      if (left > 0) this.#coming.set(key.id, left)
      else this.#coming.delete(key.id)
    }
  }

  async #check({ id, name }: AccessKey, limit: number, coming: number): Promise<void> {
    const wish = { owner: id, states: ['queued', 'running'] as const, cursor: null, limit }
    const { clips } = coming < limit ? await this.#clips.list(wish) : { clips: [] }
    if (coming + clips.length < limit && coming + clips.length + (await this.#uploads.active(id)) < limit)
      return
    throw new LeadlineError(
      'LIMIT_REACHED',
      `Key "${name}" may have ${limit} clips that wait or run, and has them; wait for one, or cancel it`,
      { retryAfterMs: 30_000 }
    )
  }
}
