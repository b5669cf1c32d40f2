import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Static } from 'typebox'
import Type from 'typebox'
import Value from 'typebox/value'
import { keyLimitsSchema } from './limits/key-limits.ts'
import type { KeyLimits } from './limits/key-limits.ts'
import { scopes } from './scopes.ts'
import type { Scope } from './scopes.ts'

const orNull = Type.Union([Type.Integer(), Type.Null()])

/** A key as it is stored: all but its value, of which there is the SHA-256 alone. */
const accessKeySchema = Type.Object({
  /** Public: it names the key in rows, lists and logs. */
  id: Type.String({ pattern: '^[0-9a-f]{16}$' }),
  name: Type.String(),
  /** Of the whole value, hex. The value is 256 random bits, so that no slower hash is needed. */
  hash: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  scopes: Type.Array(Type.Enum(scopes)),
  limits: keyLimitsSchema,
  /** Address that is told how its clips end, unless they name another. Absent: none is. */
  webhook: Type.Optional(Type.String()),
  createdAtMs: Type.Integer(),
  /** null: never. */
  expiresAtMs: orNull,
  /** null: it is not. */
  revokedAtMs: orNull
})
export type AccessKey = Static<typeof accessKeySchema>

export interface KeyWish {
  name: string
  scopes: readonly Scope[]
  limits: KeyLimits
  webhook?: string | undefined
  expiresAtMs: number | null
}

/** A new key, and its value, which is not to be had again. */
export function mintKey(wish: KeyWish, nowMs: number): { key: AccessKey; value: string } {
  const id = randomBytes(8).toString('hex')
  const value = `lk_${id}_${randomBytes(32).toString('base64url')}`
  const hash = digest(value).toString('hex')
  const { name, limits, webhook, expiresAtMs } = wish
  const told = webhook === undefined ? {} : { webhook }
  const made = { createdAtMs: nowMs, expiresAtMs, revokedAtMs: null }
  return { key: { id, name, hash, scopes: [...wish.scopes], limits, ...told, ...made }, value }
}

/** The id in the value of a key; null where it is none. */
export function keyIdOf(value: string): string | null {
  return /^lk_([0-9a-f]{16})_[\w-]{43}$/.exec(value)?.[1] ?? null
}

/** Whether the value is that of this key. Takes as long whatever it is, also where there is no key. */
export function isValueOf(value: string, key: AccessKey | null): boolean {
  const known = key === null ? noDigest : Buffer.from(key.hash, 'hex')
  return timingSafeEqual(digest(value), known) && key !== null
}

export type KeyState = 'valid' | 'expired' | 'revoked'

export function keyState({ revokedAtMs, expiresAtMs }: AccessKey, nowMs: number): KeyState {
  if (revokedAtMs !== null) return 'revoked'
  return expiresAtMs === null || nowMs < expiresAtMs ? 'valid' : 'expired'
}

/** The row that `text` holds; null where it holds none. */
export function parseKey(text: string): AccessKey | null {
  try {
    const row: unknown = JSON.parse(text)
    return Value.Check(accessKeySchema, row) ? row : null
  } catch {
    return null
  }
}

const noDigest = Buffer.alloc(32)

function digest(value: string): Buffer {
  return createHash('sha256').update(value).digest()
}
