import { open, rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { ZipFile } from 'yazl'

export interface ZipWriter {
  /**
   * Append one file, stored as it is (depth maps and PNG gain little from deflate). `data` may come in pieces and is the
   * archive's from now on. One at a time; waits while the disk is behind.
   */
  add(name: string, data: Uint8Array | AsyncIterable<Uint8Array>): Promise<void>
  /** Write the directory; only now does the archive appear under its name. */
  close(): Promise<void>
  /** Stop and leave no file; after `close` it does nothing. */
  abort(): Promise<void>
}

/** Of every file, so that the same depth makes the same archive; the earliest that a zip can hold, with a day to spare. */
const noTime = new Date(Date.UTC(1980, 0, 2))

/** A zip archive of any size (zip64 where it needs to be) that is streamed to disk: memory holds a few pieces. */
export async function createZipWriter(zipPath: string): Promise<ZipWriter> {
  const partPath = `${zipPath}.part`
  const file = await open(partPath, 'w')
  const zip = new ZipFile()
  const stop = new AbortController()
  const written = pipeline(zip.outputStream, file.createWriteStream(), { signal: stop.signal })
  let source: Readable | null = null
  let failure: Error | null = null
  written.catch((cause: Error) => {
    failure = cause
    source?.destroy(cause)
  })
  // One function for all, since the archive keeps it for each of its files: it must not hold their data.
  const giveSource = (give: (error: null, source: Readable) => void) => give(null, source!)
  let isOpen = true

  return {
    async add(name, data) {
      if (failure !== null) throw failure
      source = Readable.from(data instanceof Uint8Array ? [data] : data)
      const taken = finished(source)
      zip.addReadStreamLazy(name, { compress: false, mtime: noTime }, giveSource)
      // After this the file would never come to its end, and neither would `written`.
      await taken.catch((cause: unknown) => {
        stop.abort()
        throw cause
      })
    },
    async close() {
      if (!isOpen) return
      isOpen = false
      zip.end()
      try {
        await written
        await rename(partPath, zipPath)
      } finally {
        await rm(partPath, { force: true })
      }
    },
    async abort() {
      if (!isOpen) return
      isOpen = false
      stop.abort()
      await written.catch(() => undefined)
      await rm(partPath, { force: true })
    }
  }
}
