import type { Config } from '../config.ts'
import { LeadlineError } from '../errors.ts'
import type { Meter } from '../metering/measures.ts'
import type { Log, Sessions } from '../sessions/index.ts'
import { RedisConnections, RedisScripts } from '../sessions/index.ts'
import type { ClipBook } from './books/clip-book.ts'
import type { IdempotencyBook } from './books/idempotency-book.ts'
import { MemoryIdempotencyBook } from './books/memory-idempotency-book.ts'
import { MemoryClipBook } from './books/memory-clip-book.ts'
import type { Webhooks } from '../webhooks/index.ts'
import { ClipEnds } from './clip-ends.ts'
import { ClipKeeper } from './clip-keeper.ts'
import type { TellFailure } from './clip-runner.ts'
import { ClipRunner } from './clip-runner.ts'
import { ClipUsage } from './clip-usage.ts'
import { Clips } from './clips.ts'
import type { ClipQueue } from './queue/clip-queue.ts'
import { MemoryClipQueue } from './queue/memory-clip-queue.ts'
import { BullmqClipQueue } from './redis/bullmq-clip-queue.ts'
import { ClipKeys } from './redis/clip-keys.ts'
import { RedisClipBook } from './redis/redis-clip-book.ts'
import { RedisIdempotencyBook } from './redis/redis-idempotency-book.ts'
import type { ClipStorage } from './storage/clip-storage.ts'
import { BucketStorage } from './storage/bucket-storage.ts'
import { Bucket } from './storage/bucket.ts'
import { openDataFolder } from './storage/data-folder.ts'
import { FolderStorage } from './storage/folder-storage.ts'
import { UploadGate } from './upload-gate.ts'
import { UploadSpool } from './uploads/upload-spool.ts'
import { Uploads } from './uploads/uploads.ts'

export interface OpenClipsOptions {
  config: Config
  meter: Meter
  sessions: Sessions
  webhooks: Webhooks
  tellFailure: TellFailure
  log: Log
}

export interface OpenedClips {
  clips: Clips
  uploads: Uploads
  idempotency: IdempotencyBook
  /** Let the clip go that runs here; it goes on in the next life, or on another gateway. */
  close(): Promise<void>
  /** Let others have the storage, once no request uses it any more. Twice without harm. */
  release(): Promise<void>
}

interface Books {
  book: ClipBook
  queue: ClipQueue
  idempotency: IdempotencyBook
}

interface Places {
  storage: ClipStorage
  /** In the data folder, whatever the storage is. */
  spool: UploadSpool
}

const scripts = new URL('./redis/scripts/', import.meta.url)

/**
 * The clips of a gateway: of an earlier life and of this one. Throws STORAGE_UNUSABLE, STORAGE_FULL, CONFIG_INVALID,
 * STORE_UNAVAILABLE; then nothing is left open.
 */
export async function openClips(options: OpenClipsOptions): Promise<OpenedClips> {
  const { config } = options
  const { storage, spool } = await openStorage(options)
  let parts: Books | null = null
  try {
    parts = config.redisUrl === null ? inMemory() : await inRedis(config.redisUrl, options, storage)
    return await joined(options, { storage, spool, ...parts })
  } catch (error) {
    await parts?.queue.close()
    await parts?.book.close()
    await storage.close()
    throw error
  }
}

async function joined(
  { config, meter, sessions, webhooks, tellFailure, log }: OpenClipsOptions,
  { storage, spool, book, queue, idempotency }: Books & Places
): Promise<OpenedClips> {
  const { maxWaitingClips: maxWaiting, maxUploads } = config
  const gate = new UploadGate({ maxWaiting, maxUploads }, queue)
  const usage = new ClipUsage(meter)
  const ends = new ClipEnds({ storage, usage, webhooks, log })
  const clips = new Clips({ config, sessions, book, queue, storage, gate, ends, usage, webhooks, log })
  const uploads = new Uploads({ config, spool, clips, gate, book: idempotency, storage, log })
  const runner = new ClipRunner({ book, storage, sessions, ends, limits: config, tellFailure, log })
  const retention = { maxAgeMs: config.clipMaxAgeMs, maxBytes: config.clipMaxBytes }
  const remove = (id: string) => clips.remove(id, null)
  const keeper = new ClipKeeper({ book, queue, storage, ends, retention, remove, uploads, log })
  await keeper.start()
  queue.serve((turn) => runner.run(turn))
  return {
    ...{ clips, uploads, idempotency },
    async close() {
      await keeper.stop()
      await queue.close()
    },
    async release() {
      await book.close()
      await storage.close()
    }
  }
}

async function openStorage({ config, log }: OpenClipsOptions): Promise<Places> {
  const { bucket: place, redisUrl } = config
  if (place !== null && redisUrl === null)
    throw new LeadlineError(
      'CONFIG_INVALID',
      'LEADLINE_BUCKET_URL needs REDIS_URL: who works on which clip of a bucket is kept there'
    )
  const data = await openDataFolder(config)
  const folder = new FolderStorage(data, log)
  const spool = new UploadSpool(data.uploadsPath)
  if (place === null) return { storage: folder, spool }
  try {
    const bucket = new Bucket(place, log)
    await bucket.check()
    return { storage: new BucketStorage({ bucket, url: place.url, scratch: folder, log }), spool }
  } catch (error) {
    await folder.close()
    throw error
  }
}

function inMemory(): Books {
  return {
    book: new MemoryClipBook(),
    queue: new MemoryClipQueue(),
    idempotency: new MemoryIdempotencyBook()
  }
}

async function inRedis(
  url: string,
  { config, log }: OpenClipsOptions,
  { id: storage }: ClipStorage
): Promise<Books> {
  const redis = await RedisConnections.open(url, log, config.keyPrefix)
  const keys = new ClipKeys(config.keyPrefix)
  const ownScripts = new RedisScripts(redis.control, scripts)
  return {
    book: new RedisClipBook(redis, ownScripts, keys),
    queue: new BullmqClipQueue({ redis, scripts: ownScripts, keys, storage, log }),
    idempotency: new RedisIdempotencyBook(redis, keys)
  }
}
