import { mkdir, readdir, rm, rmdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { LeadlineError } from '../errors.ts'

/** Files beside each other, as `createZipWriter` packs them. */
export interface FolderWriter {
  add(name: string, bytes: Uint8Array): Promise<void>
  close(): Promise<void>
  /** Take away what was written; after `close` it does nothing. */
  abort(): Promise<void>
}

/** Throws REQUEST_INVALID for a folder that holds something. One that is not there is as good as an empty one. */
export async function expectEmpty(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  if (names.length > 0)
    throw new LeadlineError('REQUEST_INVALID', `${folder} is not empty; name another folder, or empty it`)
}

/** A folder that is made, or is empty: files appear in it one by one. Throws REQUEST_INVALID for one that holds something. */
export async function createFolderWriter(folder: string): Promise<FolderWriter> {
  await expectEmpty(folder)
  const isNew = (await mkdir(folder, { recursive: true })) !== undefined
  const names = new Set<string>()
  let isOpen = true
  return {
    async add(name, bytes) {
      names.add(name)
      await writeFile(path.join(folder, name), bytes)
    },
    async close() {
      isOpen = false
    },
    async abort() {
      if (!isOpen) return
      isOpen = false
      for (const name of names) await rm(path.join(folder, name), { force: true })
      if (isNew) await rmdir(folder)
    }
  }
}
