import { createHash } from 'node:crypto'

/**
 * What a latent cache has seen, as one number that both ends of a stream can compute: a chain over the frames of its
 * epoch, oldest first, those that showed nothing left out. d(0) = 32 zero bytes;
 * d(n) = SHA-256(d(n-1), seq as u64 little-endian, SHA-256(payload as it was received)).
 */

/** Of an epoch that no frame has been seen in. */
export const emptyDigest = '0'.repeat(64)

/** The next value of the chain. Values and digests are 32 bytes as hex. */
export function chained(digest: string, seq: number, payloadDigest: string): string {
  const link = Buffer.alloc(linkBytes)
  link.write(digest, 0, 'hex')
  link.writeBigUInt64LE(BigInt(seq), seqAt)
  link.write(payloadDigest, payloadAt, 'hex')
  return createHash('sha256').update(link).digest('hex')
}

const seqAt = 32
const payloadAt = 40
const linkBytes = 72

export function payloadDigest(payload: Uint8Array): string {
  return createHash('sha256').update(payload).digest('hex')
}

/** As messages carry it: the first 16 bytes. */
export function shortDigest(digest: string): string {
  return digest.slice(0, 32)
}
