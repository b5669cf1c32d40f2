import type { Readable } from 'node:stream'

/** Pieces of a stream, which is closed when the loop is left; `giveUp` is called when one is waited for for longer than `maxMs`. */
export async function* soon(
  stdout: Readable,
  maxMs: number,
  giveUp: () => void
): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces = stdout.iterator() as AsyncIterableIterator<Uint8Array>
  try {
    for (;;) {
      const late = setTimeout(giveUp, maxMs)
      const next = await pieces.next().finally(() => clearTimeout(late))
      if (next.done === true) return
      yield next.value
    }
  } finally {
    stdout.destroy()
  }
}
