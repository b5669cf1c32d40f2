import { createHash, randomBytes } from 'node:crypto'

/** Proof that one owns a session: 32 random bytes, base64url. */
export function newResumeToken(): string {
  return randomBytes(32).toString('base64url')
}

/** What a row may hold of a resume token: its SHA-256, hex. */
export function hashResumeToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
