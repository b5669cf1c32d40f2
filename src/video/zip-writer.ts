import { open, rename, rm } from 'node:fs/promises'
import { Zip, ZipPassThrough } from 'fflate'
import { LeadlineError } from '../errors.ts'

export interface ZipWriter {
  /** Append one file, stored as it is (depth maps and PNG gain little from deflate). `data` may come in pieces. */
  add(name: string, data: Uint8Array | AsyncIterable<Uint8Array>): Promise<void>
  /** Write the directory; only now does the archive appear under its name. */
  close(): Promise<void>
  /** Stop and leave no file; after `close` it does nothing. */
  abort(): Promise<void>
}

/** Limits of a zip archive without the zip64 extension. */
const maxArchiveBytes = 2 ** 32 - 2 ** 20
const maxEntries = 65_535

/** A zip archive that is streamed to disk: memory holds no more than one piece. Throws CLIP_TOO_LARGE at 4 GiB. */
export async function createZipWriter(zipPath: string): Promise<ZipWriter> {
  const partPath = `${zipPath}.part`
  const file = await open(partPath, 'w')
  const waiting: Uint8Array[] = []
  const zip = new Zip((error, chunk) => {
    if (error) throw error
    waiting.push(chunk)
  })
  let bytes = 0
  let entries = 0
  let isOpen = true

  const drain = async () => {
    for (const chunk of waiting.splice(0)) {
      // Unlike write, this takes no less than all of it, also where the disk is nearly full.
      await file.appendFile(chunk)
      bytes += chunk.byteLength
    }
  }
  const push = (entry: ZipPassThrough, data: Uint8Array, final: boolean) => {
    if (bytes + data.byteLength > maxArchiveBytes || entries > maxEntries) throw tooLarge()
    entry.push(data, final)
    return drain()
  }
  return {
    async add(name, data) {
      const entry = new ZipPassThrough(name)
      entries++
      zip.add(entry)
      if (data instanceof Uint8Array) return push(entry, data, true)
      for await (const piece of data) await push(entry, piece, false)
      await push(entry, new Uint8Array(0), true)
    },
    async close() {
      if (!isOpen) return
      isOpen = false
      zip.end()
      try {
        await drain().finally(() => file.close())
        await rename(partPath, zipPath)
      } finally {
        await rm(partPath, { force: true })
      }
    },
    async abort() {
      if (!isOpen) return
      isOpen = false
      await file.close()
      await rm(partPath, { force: true })
    }
  }
}

function tooLarge(): LeadlineError {
  return new LeadlineError(
    'CLIP_TOO_LARGE',
    'The result does not fit into a zip archive (4 GiB, 65535 files); cut the clip, ask for float16, or take the video'
  )
}
