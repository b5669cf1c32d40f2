import { randomUUID } from 'node:crypto'
import { copyFile, link } from 'node:fs/promises'
import type { Config } from '../../config.ts'
import { LeadlineError, asLeadlineError } from '../../errors.ts'
import type { Log } from '../../sessions/index.ts'
import type { IdempotencyBook } from '../books/idempotency-book.ts'
import type { ClipRequest } from '../clip.ts'
import type { Clips } from '../clips.ts'
import { Pace, minBytesPerSecond } from '../intake/pace.ts'
import type { ClipStorage } from '../storage/clip-storage.ts'
import { DiskRoom } from '../storage/disk-room.ts'
import { storageFailure } from '../storage/storage-failure.ts'
import type { UploadGate } from '../upload-gate.ts'
import type { SpooledUpload, UploadSpool, UploadWriter } from './upload-spool.ts'
import type { StoredUpload, Upload } from './upload.ts'
import { offsetOf } from './upload.ts'
import { Writers, taken, unless } from './writers.ts'

export interface UploadsOptions {
  config: Config
  spool: UploadSpool
  clips: Clips
  gate: UploadGate
  /** Keeps two gateways from making the same clip at once. */
  book: IdempotencyBook
  storage: Pick<ClipStorage, 'place' | 'setting'>
  log: Log
}

export interface NewUpload {
  owner: string | null
  length: number
  request: ClipRequest
  metadata: string | null
  /** Of this owner, that are no clip yet. Of more, those that stand still go, the oldest first. */
  maxUnfinished: number
}

export interface UploadPart {
  offset: number
  pieces: AsyncIterable<Uint8Array>
  /** Of the clip. */
  maxFrames: number
}

/** Something of an upload that came so recently makes it one on its way. */
const activeMs = 60_000
/** The disk is looked at once in so many bytes. */
const bytesPerLook = 2 ** 24
/** A clip is made within that, or its maker says again that it is at it. */
const holdMs = 30_000
/** Share of the time for a request after which it is answered: a client that is told where it stands goes on from there. */
const answeredAt = 0.9

/**
 * Videos that come in more than one request, each of which may break off, and become clips with the id of the upload. `owner`
 * and `reach` are ids of keys: what is another's is as if it were not there. Failures of a disk are STORAGE_FULL and
 * STORAGE_UNUSABLE.
 */
export class Uploads {
  readonly #options: UploadsOptions
  readonly #writers = new Writers()

  constructor(options: UploadsOptions) {
    this.#options = options
  }

  /**
   * Throws what `Clips.check` throws, CLIPS_BUSY, CLIP_TOO_LARGE, STORAGE_FULL where there is no room for all of it, and
   * LIMIT_REACHED.
   */
  async create({ owner, length, request, metadata, maxUnfinished }: NewUpload): Promise<Upload> {
    const { spool, clips, gate, config } = this.#options
    await gate.checkQueue()
    await clips.check(owner, request)
    await this.#makeRoom(owner, maxUnfinished)
    const id = randomUUID()
    const createdAt = new Date().toISOString()
    try {
      await spool.create({ id, owner, length, request, metadata, createdAt, isClip: false })
      await new DiskRoom(spool.folder(id), config).check(length)
    } catch (error) {
      await spool.remove(id).catch(() => undefined)
      throw this.#named(error, id)
    }
    return this.get(id, owner)
  }

  /** Throws UPLOAD_UNKNOWN. */
  async get(id: string, reach: string | null): Promise<Upload> {
    const { spool, config } = this.#options
    const found = await spool.read(id).catch((error: unknown) => {
      throw this.#named(error, id)
    })
    const isOld = found !== null && Date.now() - found.touchedAtMs > config.uploadMaxAgeMs
    if (found === null || isOld || (reach !== null && found.stored.owner !== reach)) throw unknown(id)
    return this.#shown(found)
  }

  /** How many of an owner are on their way: something of them came within a minute, and they are no clip yet. */
  async active(owner: string | null): Promise<number> {
    return (await this.#unfinished(owner)).filter((upload) => !standsStill(upload)).length
  }

  /**
   * Write what comes, up to the end of the upload, and then make the clip; less when the time of the request is up. Throws
   * UPLOAD_UNKNOWN, UPLOAD_OFFSET, UPLOAD_TAKEN, REQUEST_INVALID, REQUEST_TIMEOUT, CLIPS_BUSY, what `pieces` throw, and what
   * `Clips.add` throws: then it can be gone on with, unless the video is why.
   */
  async append(id: string, reach: string | null, part: UploadPart): Promise<Upload> {
    // Whether there is one, before anybody is made to stop.
    await this.get(id, reach)
    const { signal, end } = await this.#writers.begin(id)
    try {
      const upload = await this.get(id, reach)
      if (upload.isClip || part.offset !== upload.offset) throw elsewhere(upload, part.offset)
      const writer = await this.#options.spool.writer(id, part.offset).catch((error: unknown) => {
        throw this.#named(error, id)
      })
      try {
        const isWhole = await this.#write(upload, { ...part, pieces: unless(signal, part.pieces) }, writer)
        return isWhole ? await this.#finish(upload, part.maxFrames, writer) : await this.get(id, reach)
      } finally {
        await writer.close()
      }
    } finally {
      end()
    }
  }

  /** The clip it became stays. Throws UPLOAD_UNKNOWN. */
  async remove(id: string, reach: string | null): Promise<void> {
    await this.get(id, reach)
    const { end } = await this.#writers.begin(id)
    try {
      await this.#options.spool.remove(id)
    } catch (error) {
      throw this.#named(error, id)
    } finally {
      end()
    }
  }

  /** Those that nobody goes on with go. */
  async sweep(): Promise<void> {
    const { spool, config, log } = this.#options
    for (const id of await spool.olderThan(Date.now() - config.uploadMaxAgeMs)) {
      log.info({ upload: id }, 'an upload is removed: nobody went on with it')
      await spool.remove(id)
    }
  }

  /** Whether it is whole now. Throws UPLOAD_TAKEN where another gateway has gone on with it meanwhile. */
  async #write(
    { id, length }: StoredUpload,
    { offset, pieces }: UploadPart,
    writer: UploadWriter
  ): Promise<boolean> {
    const { spool, gate, config } = this.#options
    const endUpload = gate.goOn()
    const room = new DiskRoom(spool.folder(id), config)
    const pace = new Pace()
    let at = offset
    let nextLook = at
    try {
      for await (const piece of pieces) {
        if (at + piece.byteLength > length) throw tooMuch(length)
        if (at >= nextLook) await room.check(piece.byteLength)
        while (at >= nextLook) nextLook += bytesPerLook
        await writer.write(piece, at)
        at += piece.byteLength
        pace.add(piece.byteLength)
        if (pace.isTooSlow) throw tooSlow()
        if (pace.elapsedMs > config.requestTimeoutMs * answeredAt) break
      }
      if (!(await writer.isCurrent())) throw taken()
    } catch (error) {
      throw this.#named(error, id)
    } finally {
      endUpload()
    }
    return at === length
  }

  async #finish(upload: Upload, maxFrames: number, writer: UploadWriter): Promise<Upload> {
    const { book, spool } = this.#options
    const { id } = upload
    const name = `upload-${id}`
    if ((await book.begin(name, holdMs)) !== 'begun') throw taken()
    const holding = setInterval(() => void book.hold(name, holdMs).catch(() => undefined), holdMs / 3)
    try {
      await this.#makeClip(upload, maxFrames, writer)
    } catch (error) {
      const { definition, isTemporary } = asLeadlineError(error)
      if (definition.status < 500 && !isTemporary) await spool.remove(id).catch(() => undefined)
      throw error
    } finally {
      clearInterval(holding)
      await book.forget(name).catch(() => undefined)
    }
    return { ...upload, offset: upload.length, isClip: true }
  }

  async #makeClip(
    { offset: _, expiresAtMs: __, ...stored }: Upload,
    maxFrames: number,
    writer: UploadWriter
  ): Promise<void> {
    const { clips, spool } = this.#options
    const { id, owner, request } = stored
    await clips.addStored({ id, owner, maxFrames }, async (filePath) => {
      // Another name for the same bytes; some network folders have none.
      await link(spool.bytesPath(id), filePath).catch(() => copyFile(spool.bytesPath(id), filePath))
      // What has the clip's name now may be what another gateway had just begun.
      if (!(await writer.isCurrent())) throw taken()
      return request
    })
    try {
      await spool.save({ ...stored, isClip: true })
      await spool.dropBytes(id)
    } catch (error) {
      throw this.#named(error, id)
    }
  }

  async #unfinished(owner: string | null): Promise<SpooledUpload[]> {
    const uploads = await this.#options.spool.list()
    return uploads.filter(({ stored }) => stored.owner === owner && !stored.isClip)
  }

  async #makeRoom(owner: string | null, maxUnfinished: number): Promise<void> {
    const { spool, log } = this.#options
    const uploads = await this.#unfinished(owner)
    const still = uploads.filter(standsStill).sort((a, b) => a.touchedAtMs - b.touchedAtMs)
    const going = still.slice(0, Math.max(0, uploads.length + 1 - maxUnfinished))
    if (uploads.length - going.length >= maxUnfinished)
      throw new LeadlineError(
        'LIMIT_REACHED',
        `${maxUnfinished} uploads are on their way already; end one of them first, or delete it`,
        { retryAfterMs: 30_000 }
      )
    for (const { stored } of going) {
      log.info({ upload: stored.id }, 'an upload is removed: it stands still, and its owner began others')
      await spool.remove(stored.id)
    }
  }

  #shown({ stored, bytes, touchedAtMs }: SpooledUpload): Upload {
    const { uploadMaxAgeMs } = this.#options.config
    return { ...stored, offset: offsetOf(stored, bytes), expiresAtMs: touchedAtMs + uploadMaxAgeMs }
  }

  #named(error: unknown, id: string): unknown {
    const { storage, log } = this.#options
    return storageFailure(error, { storage, log, clip: id })
  }
}

function standsStill({ touchedAtMs }: SpooledUpload): boolean {
  return Date.now() - touchedAtMs > activeMs
}

function unknown(id: string): LeadlineError {
  return new LeadlineError(
    'UPLOAD_UNKNOWN',
    `There is no upload ${id}; it may have been deleted, or nobody went on with it for too long; begin again`
  )
}

function elsewhere({ id, offset, length }: Upload, asked: number): LeadlineError {
  const where = offset === length ? 'is whole already' : `goes on at byte ${offset}, not ${asked}`
  return new LeadlineError('UPLOAD_OFFSET', `Upload ${id} ${where}; ask where it stands by HEAD`)
}

function tooMuch(length: number): LeadlineError {
  return new LeadlineError('REQUEST_INVALID', `The body goes on behind the ${length} bytes of Upload-Length`)
}

function tooSlow(): LeadlineError {
  return new LeadlineError(
    'REQUEST_TIMEOUT',
    `Less than ${minBytesPerSecond} bytes a second come; what came is kept, go on from there over a faster network`
  )
}
