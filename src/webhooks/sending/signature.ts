import { createHmac, randomBytes } from 'node:crypto'

const prefix = 'whsec_'

/** 256 bits; Standard Webhooks wants 192 to 512. */
export function newSecret(): string {
  return `${prefix}${randomBytes(32).toString('base64')}`
}

export interface SignedContent {
  id: string
  /** Seconds since 1970. */
  timestamp: number
  body: string
}

/** The header `webhook-signature` of Standard Webhooks 1.0.0: one signature for each secret, with spaces between. */
export function signatures({ id, timestamp, body }: SignedContent, secrets: readonly string[]): string {
  return secrets
    .map((secret) => createHmac('sha256', Buffer.from(secret.slice(prefix.length), 'base64')))
    .map((hmac) => `v1,${hmac.update(`${id}.${timestamp}.${body}`).digest('base64')}`)
    .join(' ')
}
