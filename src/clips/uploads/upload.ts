import type { Static } from 'typebox'
import Type from 'typebox'
import { clipRequestSchema } from '../clip.ts'

/** An upload as it lies beside its bytes. */
export const storedUploadSchema = Type.Object({
  /** Also that of the clip it becomes. */
  id: Type.String(),
  /** Id of the key it came with; null: none. */
  owner: Type.Union([Type.String(), Type.Null()]),
  /** Bytes of the whole video. */
  length: Type.Integer({ minimum: 1 }),
  request: clipRequestSchema,
  /** `Upload-Metadata` as it was sent; null: none was. */
  metadata: Type.Union([Type.String(), Type.Null()]),
  createdAt: Type.String(),
  /** It is a clip, and its bytes are there no more. */
  isClip: Type.Boolean()
})
export type StoredUpload = Static<typeof storedUploadSchema>

/** How an upload stands. */
export interface Upload extends StoredUpload {
  /** Bytes that need not be sent again. */
  offset: number
  /** Unless more of it comes before. */
  expiresAtMs: number
}

/**
 * Bytes that a client need not send again, of `bytes` that are here. As long as the clip is not made the last one counts as
 * missing, however it came to that: so clients that only know how to send what is missing try it again.
 */
export function offsetOf({ length, isClip }: Pick<StoredUpload, 'length' | 'isClip'>, bytes: number): number {
  return isClip ? length : Math.min(bytes, length - 1)
}
