import Type from 'typebox'
import type { Static } from 'typebox'

export const secretSchema = Type.Object({ secret: Type.String(), madeAtMs: Type.Integer() })
/** `whsec_` and base64, as Standard Webhooks has it. */
export type Secret = Static<typeof secretSchema>

/**
 * What deliveries are signed with, by owner: the secret that was made last, and the one before. Throws STORE_UNAVAILABLE, or
 * STORAGE_UNUSABLE and STORAGE_FULL where it is a folder.
 */
export interface SecretStore {
  /** The newest first; empty: none was made. */
  read(owner: string | null): Promise<Secret[]>
  /** Those before the last one are forgotten. */
  add(owner: string | null, secret: Secret): Promise<void>
}

/** How many are kept of an owner. */
export const keptSecrets = 2
/** How long the secret before signs beside the new one. */
export const overlapMs = 86_400_000

/** Those that sign now, of what a store has. */
export function signing([newest, ...older]: readonly Secret[], nowMs: number): string[] {
  if (newest === undefined) return []
  const isOverlap = nowMs < newest.madeAtMs + overlapMs
  return [newest, ...(isOverlap ? older : [])].map(({ secret }) => secret)
}
