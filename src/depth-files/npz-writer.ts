import { createReadStream } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { LeadlineError } from '../errors.ts'
import type { NpyArray } from '../maps/npy.ts'
import { npyFile, npyHeader } from '../maps/npy.ts'
import type { Size } from '../video/index.ts'
import { createZipWriter } from '../video/index.ts'
import type { StoredArray } from './depth-file.ts'

export interface NpzWriter {
  /** One depth map, height x width, of the type that all have. */
  write(depth: StoredArray): Promise<void>
  /** Finish the archive with `arrays` beside `depth`; only now does it appear under its name. */
  close(arrays?: Readonly<Record<string, NpyArray>>): Promise<void>
  /** Stop and leave no file; after `close` it does nothing. */
  abort(): Promise<void>
}

/**
 * An archive for `numpy.load`: `depth` [frames, height, width], plus small arrays. The values are spooled to disk first,
 * because their number stands in front of them and is known only at the end.
 */
export async function createNpzWriter(
  npzPath: string,
  { width, height, type }: Size & { type: StoredArray['type'] }
): Promise<NpzWriter> {
  const spoolPath = `${npzPath}.depth.part`
  const spool = await open(spoolPath, 'w')
  let count = 0
  let isOpen = true

  const finish = async (arrays: Readonly<Record<string, NpyArray>>) => {
    await spool.close()
    const zip = await createZipWriter(npzPath)
    try {
      const header = npyHeader(type, [count, height, width])
      await zip.add('depth.npy', chain(header, createReadStream(spoolPath, { highWaterMark: 2 ** 20 })))
      for (const [name, array] of Object.entries(arrays)) await zip.add(`${name}.npy`, npyFile(array))
      await zip.close()
    } finally {
      await zip.abort()
    }
  }
  return {
    async write({ type: given, values }) {
      if (values.length !== width * height || given !== type) {
        const text = `A depth map has ${values.length} values of ${given} instead of ${width}x${height} of ${type}`
        throw new LeadlineError('INTERNAL', text)
      }
      await spool.appendFile(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
      count++
    },
    async close(arrays = {}) {
      if (!isOpen) return
      isOpen = false
      await finish(arrays).finally(() => rm(spoolPath, { force: true }))
    },
    async abort() {
      if (!isOpen) return
      isOpen = false
      await spool.close()
      await rm(spoolPath, { force: true })
    }
  }
}

async function* chain(first: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first
  yield* rest
}
