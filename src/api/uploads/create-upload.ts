import { createHash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { ownerOf } from '../../access/index.ts'
import type { ClipRequest, IdempotencyBook, Upload, Uploads } from '../../clips/index.ts'
import { clipTooLarge } from '../../clips/index.ts'
import type { ClipQuota } from '../clips/clip-quota.ts'
import { withWebhook } from '../clips/clip-webhook.ts'
import { once } from '../clips/once.ts'
import { commaList } from '../comma-list.ts'
import { wishesBeside } from '../wishes.ts'
import { parseMetadata } from './tus.ts'

export interface UploadWish {
  /** Bytes of the whole. */
  length: number
  /** As the header has it; null: none. */
  metadata: string | null
  idempotencyKey: string | undefined
}

/** What clients say of a file that nothing here depends on. */
const namesOfFile: ReadonlySet<string> = new Set(['filename', 'filetype', 'name', 'type', 'relativePath'])

/** Wishes that may have several values. */
const lists: ReadonlySet<string> = new Set(['results', 'intrinsics'])

/**
 * A new upload, or the one of the same request before. What is wanted of the clip stands in the query or in the metadata. Throws
 * REQUEST_INVALID, CLIP_TOO_LARGE, LIMIT_REACHED, what `once` throws and what `Uploads.create` throws.
 */
export async function createUpload(
  request: FastifyRequest,
  { length, metadata, idempotencyKey }: UploadWish,
  { uploads, idempotency, quota }: { uploads: Uploads; idempotency: IdempotencyBook; quota: ClipQuota }
): Promise<Upload> {
  const { caller } = request
  const owner = ownerOf(caller)
  const { maxClipBytes } = quota.sizeFor(caller)
  if (length > maxClipBytes) throw clipTooLarge(maxClipBytes)
  const wishes = withWebhook(wishesOf(request, metadata), caller)
  const fingerprint = fingerprintOf(length, wishes)
  const wish = { owner, length, request: wishes, metadata, maxUnfinished: quota.unfinishedFor(caller) }
  return once({
    ...{ book: idempotency, key: idempotencyKey, owner },
    get: (id) => uploads.get(id, owner),
    read: async () => fingerprint,
    make: () => quota.within(caller, async () => ({ made: await uploads.create(wish), fingerprint }))
  })
}

function wishesOf(request: FastifyRequest, metadata: string | null): ClipRequest {
  if (metadata === null || metadata === '') return request.query as ClipRequest
  const fields = new Map<string, unknown>()
  for (const [name, value] of parseMetadata(metadata)) {
    if (!namesOfFile.has(name)) fields.set(name, lists.has(name) ? commaList(value) : value)
  }
  return wishesBeside<ClipRequest>(request, fields, 'Upload-Metadata')
}

function fingerprintOf(length: number, wishes: ClipRequest): string {
  const inOrder = Object.entries(wishes).sort(([a], [b]) => a.localeCompare(b))
  return createHash('sha256')
    .update(JSON.stringify([length, inOrder]))
    .digest('hex')
}
