import { createHash } from 'node:crypto'
import type { Beginning, IdempotencyBook } from '../../clips/index.ts'
import { LeadlineError } from '../../errors.ts'

/** A request says so often that it is on its way; one whose gateway died may be made again after that. */
const holdMs = 30_000
/** Of the header, quotation marks and all. */
export const maxKeyLength = 255

export interface OnceOptions<Made extends { id: string }> {
  book: IdempotencyBook
  /** The value of the header; undefined: the request has none. */
  key: string | string[] | undefined
  /** Whose it is: two clients may choose the same. */
  owner: string | null
  /** Makes a clip, or an upload, and says by what. */
  make: () => Promise<{ made: Made; fingerprint: string }>
  /** What the request would have been made by, read without making anything. */
  read: () => Promise<string>
  /** What a request before has made. */
  get: (id: string) => Promise<Made>
}

/**
 * Once, however often the request is sent (draft-ietf-httpapi-idempotency-key-header-07): the same again has the same
 * clip or upload. Throws IDEMPOTENCY_PENDING, IDEMPOTENCY_KEY_REUSED, REQUEST_INVALID, STORE_UNAVAILABLE, and what `make` throws;
 * then it may be sent again.
 */
export async function once<Made extends { id: string }>(options: OnceOptions<Made>): Promise<Made> {
  const { book, key, owner, make, read, get } = options
  if (key === undefined) return (await make()).made
  const name = nameOf(String(key), owner)
  const beginning = await book.begin(name, holdMs)
  if (beginning !== 'begun') return again(beginning, { read, get })
  const holding = setInterval(() => void book.hold(name, holdMs).catch(() => undefined), holdMs / 3)
  try {
    const { made, fingerprint } = await make()
    clearInterval(holding)
    await book.record(name, { clip: made.id, fingerprint })
    return made
  } catch (error) {
    clearInterval(holding)
    await book.forget(name).catch(() => undefined)
    throw error
  }
}

async function again<Made extends { id: string }>(
  beginning: Exclude<Beginning, 'begun'>,
  { read, get }: Pick<OnceOptions<Made>, 'read' | 'get'>
): Promise<Made> {
  if (beginning === 'pending')
    throw new LeadlineError(
      'IDEMPOTENCY_PENDING',
      'A request with this Idempotency-Key is on its way; wait for its answer, or ask again'
    )
  if ((await read()) !== beginning.fingerprint)
    throw new LeadlineError(
      'IDEMPOTENCY_KEY_REUSED',
      'This Idempotency-Key came with another video or other wishes before; choose a new one for each clip'
    )
  return get(beginning.clip)
}

/** A string of structured fields (RFC 9651) has quotation marks; many clients leave them out. */
function nameOf(key: string, owner: string | null): string {
  const value = /^"(.*)"$/.exec(key)?.[1] ?? key
  if (value === '')
    throw new LeadlineError('REQUEST_INVALID', 'The Idempotency-Key is empty; make one up for each clip')
  return createHash('sha256')
    .update(JSON.stringify([owner, value]))
    .digest('base64url')
}
