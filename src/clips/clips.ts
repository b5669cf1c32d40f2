import { randomUUID } from 'node:crypto'
import { stat } from 'node:fs/promises'
import type { Config } from '../config.ts'
import { LeadlineError } from '../errors.ts'
import { checkModelRuns } from '../model-runs.ts'
import type { Log, Sessions } from '../sessions/index.ts'
import type { VideoInfo } from '../video/index.ts'
import { probeVideo } from '../video/index.ts'
import type { ClipBook, ClipListWish, ClipRow } from './books/clip-book.ts'
import { hasEnded } from './books/clip-book.ts'
import type { ClipEnds } from './clip-ends.ts'
import type { Clip, ClipRequest, ResultName } from './clip.ts'
import { checkCamera, resultFiles } from './clip.ts'
import type { ClipRun } from './new-clip.ts'
import { newClip, runOf } from './new-clip.ts'
import type { ClipQueue } from './queue/clip-queue.ts'
import { checkFrameCount } from './running/frame-limit.ts'
import type { ClipStorage } from './storage/clip-storage.ts'
import { sourceFile } from './storage/clip-storage.ts'
import { DiskRoom } from './storage/disk-room.ts'
import { storageFailure } from './storage/storage-failure.ts'
import type { Webhooks } from '../webhooks/index.ts'
import type { ClipUsage } from './clip-usage.ts'
import type { UploadGate } from './upload-gate.ts'

export interface ClipsOptions {
  config: Config
  sessions: Pick<Sessions, 'models'>
  book: ClipBook
  queue: ClipQueue
  storage: ClipStorage
  gate: UploadGate
  ends: ClipEnds
  usage: ClipUsage
  webhooks: Pick<Webhooks, 'check'>
  log: Log
}

/** Writes the video of a clip to the path given, as far as there is room, and says what is wanted of it. */
export type ReceiveClip = (filePath: string, room: DiskRoom) => Promise<ClipRequest>

export interface NewClip {
  id: string
  owner: string | null
  /** As far as its file says how many it has. */
  maxFrames: number
}

export interface ClipList {
  clips: Clip[]
  /** Of the next page; null if this is the last. */
  cursor: string | null
}

/**
 * What a gateway can do with clips, whichever gateway took them. `owner` is the id of a key: what is another's is as if it
 * were not there; null: everybody's. Everything throws STORE_UNAVAILABLE.
 */
export class Clips {
  readonly #options: ClipsOptions

  constructor(options: ClipsOptions) {
    this.#options = options
  }

  /** Those in the queue, by state. */
  counts() {
    return this.#options.queue.counts()
  }

  /**
   * Take in a clip of at most `maxFrames`, as far as its file says how many it has. Throws what `receive` throws, and
   * CLIPS_BUSY, CLIP_INVALID, CLIP_TOO_LARGE, FRAME_TOO_LARGE, MODEL_MODE_UNSUPPORTED, MODEL_UNKNOWN, STORAGE_FULL,
   * STORAGE_UNUSABLE, TOOL_MISSING, and for its webhook URL_FORBIDDEN and REQUEST_INVALID.
   */
  async add(owner: string | null, receive: ReceiveClip, maxFrames: number): Promise<Clip> {
    const endUpload = await this.#options.gate.begin()
    try {
      return await this.#take({ id: randomUUID(), owner, maxFrames }, receive)
    } finally {
      endUpload()
    }
  }

  /**
   * The same for a video that is here already and has an id: the same again is the same clip. Two at once must be kept apart
   * by whoever calls.
   */
  async addStored(wish: NewClip, receive: ReceiveClip): Promise<Clip> {
    const { book, queue, storage } = this.#options
    const row = (await book.get(wish.id)) ?? (await this.#stored(wish.id))
    if (row !== null) {
      // Whoever wrote it down may have come no further.
      if ((await book.put(row)) && !hasEnded(row.clip)) await queue.add(wish.id, row.owner)
      return row.clip
    }
    // What one before began, whose process died.
    await storage.remove(wish.id).catch((error: unknown) => {
      throw this.#named(error, wish.id)
    })
    return this.#take(wish, receive)
  }

  /** What can be known of a clip before its video is. Throws as `add`. */
  async check(owner: string | null, request: ClipRequest): Promise<void> {
    const { config, webhooks } = this.#options
    checkCamera(request)
    if (request.webhook !== undefined) await webhooks.check(owner, request.webhook)
    await this.#checkModel(runOf(request, config.defaultModel))
  }

  async #take({ id, owner, maxFrames }: NewClip, receive: ReceiveClip): Promise<Clip> {
    const { config, storage, book, queue, usage } = this.#options
    try {
      await storage.create(id)
      const room = new DiskRoom(storage.folder(id), config)
      await room.check()
      const sourcePath = `${storage.folder(id)}/${sourceFile}`
      const request = await receive(sourcePath, room)
      await this.check(owner, request)
      const clip = newClip(id, request, await this.#probe(sourcePath, maxFrames), config.defaultModel)
      await storage.keep(id, [sourceFile])
      await storage.save({ clip, owner, strikes: 0 })
      await usage.taken({ clip, owner }, (await stat(sourcePath)).size)
      await book.put({ clip, owner, storage: storage.id })
      await queue.add(id, owner)
      return clip
    } catch (error) {
      await this.#removeQuietly(id)
      throw this.#named(error, id)
    }
  }

  /** Throws CLIP_UNKNOWN. */
  async get(id: string, owner: string | null): Promise<Clip> {
    return (await this.#row(id, owner)).clip
  }

  async list(wish: ClipListWish): Promise<ClipList> {
    const { rows, cursor } = await this.#options.book.list(wish)
    return { clips: rows.map(({ clip }) => clip), cursor }
  }

  /** The file of a result. Throws CLIP_NOT_READY, CLIP_FAILED, STORAGE_UNUSABLE, and CLIP_UNKNOWN when it was not asked for. */
  async resultPath(id: string, name: ResultName, owner: string | null): Promise<string> {
    const row = await this.#row(id, owner)
    const { state, failure, results } = row.clip
    if (state === 'failed' || state === 'cancelled') {
      const why = state === 'failed' ? `it failed with ${failure?.code}` : 'it was cancelled'
      throw new LeadlineError('CLIP_FAILED', `Clip ${id} has no results: ${why}`)
    }
    if (!results.includes(name)) {
      throw new LeadlineError(
        'CLIP_UNKNOWN',
        `Clip ${id} was not asked for "${name}"; it has ${results.join(', ')}`
      )
    }
    if (state !== 'done')
      throw new LeadlineError('CLIP_NOT_READY', `Clip ${id} is ${state}; ask again`, { retryAfterMs: 1000 })
    this.#checkReach(row)
    return this.#options.storage.file(id, resultFiles[name].file)
  }

  /** Stop it, keep that it was there. One that has ended stays as it is. Throws CLIP_UNKNOWN, STORAGE_UNUSABLE. */
  async cancel(id: string, owner: string | null): Promise<Clip> {
    const row = await this.#row(id, owner)
    if (hasEnded(row.clip)) return row.clip
    this.#checkReach(row)
    const cancelled = await this.#options.book.cancel(id, new Date().toISOString())
    if (cancelled === null) return this.get(id, owner)
    await this.#options.queue.cancel(id)
    // A run that ends may have written the document until now.
    await this.#save(cancelled)
    await this.#options.ends.tell(cancelled)
    await this.#tidy(id)
    return cancelled.clip
  }

  /** Stop it if it runs, and delete all of it. Throws CLIP_UNKNOWN, STORAGE_UNUSABLE. */
  async remove(id: string, owner: string | null): Promise<void> {
    const row = await this.#row(id, owner)
    this.#checkReach(row)
    const { book, ends, queue, storage } = this.#options
    await book.cancel(id, new Date().toISOString())
    const ended = await book.get(id)
    if (ended !== null) await ends.count(ended)
    await queue.cancel(id)
    try {
      await storage.remove(id)
    } catch (error) {
      // What is still there must not be forgotten.
      throw this.#named(error, id)
    }
    await book.remove(id)
  }

  async #row(id: string, owner: string | null): Promise<ClipRow> {
    const row = (await this.#options.book.get(id)) ?? (await this.#stored(id))
    if (row === null || (owner !== null && row.owner !== owner))
      throw new LeadlineError('CLIP_UNKNOWN', `There is no clip ${id}; it may have been deleted`)
    return row
  }

  /** A book that has forgotten is told again within seconds; until then the storage answers. */
  async #stored(id: string): Promise<ClipRow | null> {
    const { storage } = this.#options
    const stored = await storage.read(id).catch(() => null)
    return stored && { clip: stored.clip, owner: stored.owner, storage: storage.id }
  }

  /** Where gateways share no storage, only those that have the files can do anything with them. */
  #checkReach({ clip, storage }: ClipRow): void {
    if (storage === this.#options.storage.id) return
    throw new LeadlineError(
      'STORAGE_UNUSABLE',
      `The files of clip ${clip.id} lie with another server; ask that one, or let all share ${this.#options.storage.setting}`
    )
  }

  async #probe(sourcePath: string, maxFrames: number): Promise<VideoInfo> {
    const { maxPixels } = this.#options.config
    const info = await probeVideo(sourcePath)
    checkFrameCount(info.frameCount, maxFrames)
    if (info.width * info.height <= maxPixels) return info
    throw new LeadlineError(
      'FRAME_TOO_LARGE',
      `The clip is ${info.width}x${info.height}; at most ${maxPixels} pixels fit`
    )
  }

  /** At the door, since a clip waits for its turn; with no worker there just now, it may wait for one. */
  async #checkModel({ model, ...wishes }: ClipRun): Promise<void> {
    const offers = await this.#options.sessions.models()
    if (offers.length === 0) return
    const offer = offers.find(({ name }) => name === model)
    if (offer === undefined) {
      const names = offers.map(({ name }) => name).join(', ')
      throw new LeadlineError('MODEL_UNKNOWN', `No worker serves "${model}"; they serve ${names}`)
    }
    checkModelRuns(offer, wishes)
  }

  async #save({ clip, owner }: ClipRow): Promise<void> {
    try {
      await this.#options.storage.save({ clip, owner, strikes: 0 })
    } catch (error) {
      throw this.#named(error, clip.id)
    }
  }

  async #tidy(id: string): Promise<void> {
    try {
      await this.#options.storage.tidy(id, [])
    } catch (error) {
      throw this.#named(error, id)
    }
  }

  #named(error: unknown, clip: string): unknown {
    return storageFailure(error, { ...this.#options, clip })
  }

  async #removeQuietly(id: string): Promise<void> {
    const { book, storage, log } = this.#options
    await storage.remove(id).catch((error: unknown) => {
      log.error({ err: error, clip: id }, 'the folder of a clip could not be removed')
    })
    await book.remove(id).catch(() => undefined)
  }
}
