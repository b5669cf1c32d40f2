import { loadNative } from './native-library.ts'

const everyMs = 60_000

type MallocTrim = (pad: number, done: (error: Error | null, hasReleased: number) => void) => void

/**
 * For as long as this process lives, what it has freed goes back to the machine once in a while. glibc keeps it for the next
 * who asks, apart for every few threads: after a burst of large pictures some hundred MiB. Elsewhere nothing happens.
 */
export function returnSpareMemory(): void {
  const trim = mallocTrim()
  if (trim === null) return
  // Beside the event loop: one who allocates waits for its own part alone.
  setInterval(() => trim(0, () => undefined), everyMs).unref()
}

/**
 * Of <malloc.h>; null where the library of C has none (musl, other systems).
 * @public for a test that calls it in a process of its own
 */
export function mallocTrim(): MallocTrim | null {
  if (process.platform !== 'linux') return null
  const libc = loadNative(null)
  try {
    return libc.func('int malloc_trim(size_t pad)').async as MallocTrim
  } catch {
    return null
  }
}
