import type { Log } from '../sessions/index.ts'
import type { Delivery, Webhooks } from '../webhooks/index.ts'
import type { ClipRow } from './books/clip-book.ts'
import { hasEnded } from './books/clip-book.ts'
import type { ClipStorage } from './storage/clip-storage.ts'

export interface ClipEndsOptions {
  storage: ClipStorage
  webhooks: Pick<Webhooks, 'add'>
  log: Log
}

/**
 * Tells the webhook of a clip how it ended, at least once: the document says whether it is still to be told, and whoever finds
 * one that is, after any crash, tells it.
 */
export class ClipEnds {
  readonly #options: ClipEndsOptions

  constructor(options: ClipEndsOptions) {
    this.#options = options
  }

  /** The document of an ended clip is written. Throws STORE_UNAVAILABLE. */
  async tell({ clip, owner }: Pick<ClipRow, 'clip' | 'owner'>): Promise<void> {
    if (clip.webhook === undefined || !hasEnded(clip)) return
    const { storage, webhooks, log } = this.#options
    const stored = await storage.read(clip.id).catch(() => null)
    if (stored?.isTold === true) return
    await webhooks.add(deliveryOf({ clip, owner }, clip.webhook), async () => {
      try {
        // Not one that was deleted meanwhile.
        if ((await storage.read(clip.id)) !== null)
          await storage.save({ clip, owner, strikes: 0, isTold: true })
      } catch (error) {
        log.warn(
          { err: error, clip: clip.id },
          'that a webhook was told could not be written; it comes again'
        )
      }
    })
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
