import { randomUUID } from 'node:crypto'
import type { Stats } from 'node:fs'
import { constants } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import {
  copyFile,
  mkdir,
  open,
  readFile,
  readdir,
  rename,
  rm,
  rmdir,
  stat,
  writeFile
} from 'node:fs/promises'
import path from 'node:path'
import Value from 'typebox/value'
import type { StoredUpload } from './upload.ts'
import { storedUploadSchema } from './upload.ts'

const rowFile = 'upload.json'
const bytesFile = 'bytes'
const folderName = /^[0-9a-f]{8}-[0-9a-f-]{27}$/
/** There while somebody writes, and after one that died at it. */
const markFile = 'writing'
const ownFile = /^(writing|(bytes|upload\.json)(\.[0-9a-f-]{36}\.part)?)$/

export interface SpooledUpload {
  stored: StoredUpload
  /** How many are here. */
  bytes: number
  /** When the last of them came. */
  touchedAtMs: number
}

/**
 * Uploads on a disk, a folder each: a document, and the bytes that have come. Whoever shares the disk sees the same, and needs
 * no other place to know it from.
 */
export class UploadSpool {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  folder(id: string): string {
    return path.join(this.#root, id)
  }

  bytesPath(id: string): string {
    return path.join(this.folder(id), bytesFile)
  }

  /** For its owner alone, as a clip is. */
  async create(stored: StoredUpload): Promise<void> {
    await mkdir(this.folder(stored.id), { mode: 0o700 })
    await writeFile(this.bytesPath(stored.id), '')
    await this.save(stored)
  }

  async save(stored: StoredUpload): Promise<void> {
    const rowPath = path.join(this.folder(stored.id), rowFile)
    const partPath = `${rowPath}.${randomUUID()}.part`
    await writeFile(partPath, JSON.stringify(stored), { flush: true })
    await rename(partPath, rowPath)
  }

  /** null: there is none, or none that can be read. */
  async read(id: string): Promise<SpooledUpload | null> {
    const row = await readFile(path.join(this.folder(id), rowFile), 'utf8').catch(nullWhereNone)
    if (row === null) return null
    const found = await stat(this.bytesPath(id)).catch(nullWhereNone)
    const document = await stat(path.join(this.folder(id), rowFile)).catch(nullWhereNone)
    const stored = parsed(row)
    if (stored?.id !== id || document === null) return null
    return { stored, bytes: found?.size ?? 0, touchedAtMs: Math.max(document.mtimeMs, found?.mtimeMs ?? 0) }
  }

  async list(): Promise<SpooledUpload[]> {
    const uploads: SpooledUpload[] = []
    for (const id of await this.#ids()) {
      const found = await this.read(id)
      if (found !== null) uploads.push(found)
    }
    return uploads
  }

  /**
   * A place to write to behind the first `offset` bytes, of the caller alone: whoever else may write just now, through another
   * gateway, goes on in a file that has no name any more, and finds out by `isCurrent`.
   */
  async writer(id: string, offset: number): Promise<UploadWriter> {
    // Opened before it is marked: whoever is not alone any more by then has the nameless one.
    const found = await open(this.bytesPath(id), constants.O_WRONLY)
    const isAlone = await writeFile(this.#markPath(id), '', { flag: 'wx' }).then(() => true, falseWhereThere)
    if (!isAlone) await found.close()
    const file = isAlone ? found : await this.#ownCopy(id, offset)
    const { ino } = await file.stat({ bigint: true })
    const isCurrent = async () => {
      const named = await stat(this.bytesPath(id), { bigint: true }).catch(nullWhereNone)
      return named?.ino === ino
    }
    return {
      isCurrent,
      async write(bytes, at) {
        for (let done = 0; done < bytes.byteLength;) {
          const { bytesWritten } = await file.write(bytes, done, bytes.byteLength - done, at + done)
          done += bytesWritten
        }
      },
      close: async () => {
        if (await isCurrent()) await rm(this.#markPath(id), { force: true })
        await file.close()
      }
    }
  }

  /** The first bytes once more, in the place of the file that others may write to. */
  async #ownCopy(id: string, bytes: number): Promise<FileHandle> {
    const partPath = `${this.bytesPath(id)}.${randomUUID()}.part`
    await copyFile(this.bytesPath(id), partPath, constants.COPYFILE_FICLONE)
    const file = await open(partPath, constants.O_WRONLY)
    await file.truncate(bytes)
    await rename(partPath, this.bytesPath(id))
    return file
  }

  /** With the mark of who wrote them. */
  async dropBytes(id: string): Promise<void> {
    await rm(this.bytesPath(id), { force: true })
    await rm(this.#markPath(id), { force: true })
  }

  /** What it wrote itself, and the folder once nothing else is in it. Twice without harm. */
  async remove(id: string): Promise<void> {
    const files = (await readdir(this.folder(id)).catch(nullWhereNone)) ?? []
    for (const file of files.filter((name) => ownFile.test(name)))
      await rm(path.join(this.folder(id), file), { force: true })
    await rmdir(this.folder(id)).catch(() => undefined)
  }

  /** What was not touched since then, also what was begun and never became an upload. The ids. */
  async olderThan(beforeMs: number): Promise<string[]> {
    const old: string[] = []
    for (const id of await this.#ids()) if ((await this.#touchedAtMs(id)) < beforeMs) old.push(id)
    return old
  }

  #markPath(id: string): string {
    return path.join(this.folder(id), markFile)
  }

  async #touchedAtMs(id: string): Promise<number> {
    const files = (await readdir(this.folder(id)).catch(nullWhereNone)) ?? []
    const paths = [this.folder(id), ...files.map((file) => path.join(this.folder(id), file))]
    const found = await Promise.all(paths.map((file) => stat(file).catch(nullWhereNone)))
    return Math.max(...found.filter((file): file is Stats => file !== null).map(({ mtimeMs }) => mtimeMs))
  }

  async #ids(): Promise<string[]> {
    return (await readdir(this.#root)).filter((name) => folderName.test(name))
  }
}

export interface UploadWriter {
  /** All of them. */
  write(bytes: Uint8Array, at: number): Promise<void>
  /** Whether what it wrote is what the upload has: nobody came after it. */
  isCurrent(): Promise<boolean>
  close(): Promise<void>
}

function parsed(row: string): StoredUpload | null {
  try {
    const stored: unknown = JSON.parse(row)
    return Value.Check(storedUploadSchema, stored) ? stored : null
  } catch {
    return null
  }
}

function falseWhereThere(error: NodeJS.ErrnoException): false {
  if (error.code === 'EEXIST') return false
  throw error
}

function nullWhereNone(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null
  throw error
}
