import type { Clip } from './clip.ts'

export interface RetentionLimits {
  /** Since a clip ended; null: kept until it is deleted. */
  maxAgeMs: number | null
  /** Of all ended clips; null: no limit. */
  maxBytes: number | null
}

/** Which clips are to be removed, of the ended ones, newest first: the old ones, and the oldest of what is too much. */
export function expired(
  clips: readonly Pick<Clip, 'id' | 'createdAt' | 'endedAt' | 'bytes'>[],
  { maxAgeMs, maxBytes }: RetentionLimits,
  nowMs: number
): string[] {
  let bytes = 0
  return clips
    .filter((clip) => {
      bytes += clip.bytes ?? 0
      const ageMs = nowMs - Date.parse(clip.endedAt ?? clip.createdAt)
      return (maxAgeMs !== null && ageMs > maxAgeMs) || (maxBytes !== null && bytes > maxBytes)
    })
    .map(({ id }) => id)
}
