import type { ModelOffer, SessionOptions } from './session.ts'

/**
 * Device memory that a session of the model reserves: in mode ovda as much as its window is of the largest, which every
 * executor keeps to. A mode that the model does not have takes none.
 */
export function offeredBytes(
  { sessionBytes, temporal: { cacheSizes, defaultCacheSize } }: ModelOffer,
  { mode, cacheSize }: Pick<SessionOptions, 'mode' | 'cacheSize'>
): number {
  const most = sessionBytes[mode] ?? 0
  return mode === 'ovda'
    ? Math.ceil((most * (cacheSize ?? defaultCacheSize)) / Math.max(...cacheSizes))
    : most
}
