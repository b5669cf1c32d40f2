import { createReadStream } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { LeadlineError } from '../errors.ts'
import { encodeFloat16 } from '../float16.ts'
import type { NpyArray } from '../npy.ts'
import { npyFile, npyHeader } from '../npy.ts'
import type { Size } from './reader.ts'
import { createZipWriter } from './zip-writer.ts'

export interface NpzWriter {
  /** One depth map, height x width. */
  write(depth: Float32Array): Promise<void>
  /** Finish the archive with `arrays` beside `depth`; only now does it appear under its name. */
  close(arrays?: Readonly<Record<string, NpyArray>>): Promise<void>
  /** Stop and leave no file; after `close` it does nothing. */
  abort(): Promise<void>
}

/**
 * An archive for `numpy.load`: `depth` [frames, height, width] as float32 or float16, plus small arrays. The values are
 * spooled to disk first, because their number stands in front of them and is known only at the end.
 */
export async function createNpzWriter(
  npzPath: string,
  { width, height, dtype }: Size & { dtype: 'f16' | 'f32' }
): Promise<NpzWriter> {
  const spoolPath = `${npzPath}.depth.part`
  const spool = await open(spoolPath, 'w')
  let count = 0
  let isOpen = true

  const finish = async (arrays: Readonly<Record<string, NpyArray>>) => {
    await spool.close()
    const zip = await createZipWriter(npzPath)
    try {
      const header = npyHeader(dtype === 'f16' ? '<f2' : '<f4', [count, height, width])
      await zip.add('depth.npy', chain(header, createReadStream(spoolPath, { highWaterMark: 2 ** 20 })))
      for (const [name, array] of Object.entries(arrays)) await zip.add(`${name}.npy`, npyFile(array))
      await zip.close()
    } finally {
      await zip.abort()
    }
  }
  return {
    async write(depth) {
      if (depth.length !== width * height) {
        throw new LeadlineError(
          'INTERNAL',
          `A depth map has ${depth.length} values instead of ${width}x${height}`
        )
      }
      const values = dtype === 'f16' ? encodeFloat16(depth) : depth
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
