import type { LeadlineError } from '../errors.ts'

/**
 * What WWW-Authenticate says with a refusal (RFC 6750, 3); null: nothing. Of a request that brought nothing it says no more
 * than that a key is wanted.
 */
export function challenge(
  failure: LeadlineError,
  { scope, isShown }: { scope: string | null; isShown: boolean }
): string | null {
  const realm = 'Bearer realm="leadline"'
  const wanted = scope === null ? '' : `, scope="${scope}"`
  if (failure.code === 'FORBIDDEN') return `${realm}, error="insufficient_scope"${wanted}`
  if (failure.code !== 'UNAUTHENTICATED') return null
  return isShown ? `${realm}, error="invalid_token"${wanted}` : `${realm}${wanted}`
}
