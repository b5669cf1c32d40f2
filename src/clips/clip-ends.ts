import type { Log } from '../sessions/index.ts'
import type { Delivery, Webhooks } from '../webhooks/index.ts'
import type { ClipRow } from './books/clip-book.ts'
import { hasEnded } from './books/clip-book.ts'
import type { ClipUsage } from './clip-usage.ts'
import type { ClipStorage } from './storage/clip-storage.ts'

export interface ClipEndsOptions {
  storage: ClipStorage
  usage: Pick<ClipUsage, 'ended'>
  webhooks: Pick<Webhooks, 'add'>
  log: Log
}

/**
 * Counts a clip that has ended, once, and tells its webhook how, at least once: the document says whether that is still to be
 * done, and whoever finds one of which it is, after any crash, does it.
 */
export class ClipEnds {
  readonly #options: ClipEndsOptions

  constructor(options: ClipEndsOptions) {
    this.#options = options
  }

  /** The document of an ended clip is written. Throws STORE_UNAVAILABLE. */
  async tell({ clip, owner }: Pick<ClipRow, 'clip' | 'owner'>): Promise<void> {
    if (!(await this.count({ clip, owner }))) return
    const { webhooks } = this.#options
    const writeDown = () => this.#writeDown({ clip, owner })
    if (clip.webhook === undefined) await writeDown()
    else await webhooks.add(deliveryOf({ clip, owner }, clip.webhook), writeDown)
  }

  /** Only count it. False: it has not ended, or all is done already. Throws STORE_UNAVAILABLE. */
  async count({ clip, owner }: Pick<ClipRow, 'clip' | 'owner'>): Promise<boolean> {
    const { storage, usage } = this.#options
    if (!hasEnded(clip)) return false
    const stored = await storage.read(clip.id).catch(() => null)
    if (stored?.isTold === true) return false
    await usage.ended({ clip, owner })
    return true
  }

  async #writeDown({ clip, owner }: Pick<ClipRow, 'clip' | 'owner'>): Promise<void> {
    const { storage, log } = this.#options
    try {
      // Not one that was deleted meanwhile.
      if ((await storage.read(clip.id)) !== null)
        await storage.save({ clip, owner, strikes: 0, isTold: true })
    } catch (error) {
      log.warn(
        { err: error, clip: clip.id },
        'that the end of a clip was told could not be written; it comes again'
      )
    }
  }
}

/** A clip ends once, so its id is that of the delivery. Links are paths of the server, which does not know its own address. */
function deliveryOf({ clip, owner }: Pick<ClipRow, 'clip' | 'owner'>, url: string): Delivery {
  const { id, state, createdAt, endedAt = createdAt, failure } = clip
  const self = `/v1/clips/${id}`
  const names = state === 'done' ? clip.results : []
  const results = Object.fromEntries(names.map((name) => [name, `${self}/results/${name}`]))
  return {
    ...{ id, owner, url, type: `clip.${state}`, timestamp: endedAt },
    data: { id, state, createdAt, endedAt, failure: failure?.code ?? null, links: { self, results } }
  }
}
