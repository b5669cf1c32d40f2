import { randomUUID } from 'node:crypto'
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import type { Dirent } from 'node:fs'
import path from 'node:path'
import { LeadlineError } from '../../errors.ts'
import type { Log } from '../../sessions/index.ts'
import type { ClipStorage, StoredClip } from './clip-storage.ts'
import type { DataFolder } from './data-folder.ts'
import { dataDirSetting } from './data-folder.ts'
import { documentOf, storedOf } from './stored-clip.ts'

const rowFile = 'clip.json'
/** In every folder that a storage made, from the beginning: what lies in such a folder may be deleted, and nothing else. */
const markerFile = '.leadline-clip'
/** Where others may be at work, what was not touched for so long is taken for left. */
const staleMs = 3_600_000

/** Clips on a disk: one folder each, with clip.json, the results, and until it has ended the clip itself and its depth. */
export class FolderStorage implements ClipStorage {
  readonly id: string
  readonly place = 'The server’s folder for clips'
  readonly setting = dataDirSetting
  readonly #root: string
  readonly #data: DataFolder
  readonly #log: Log

  /** `data` is closed with it. */
  constructor(data: DataFolder, log: Log) {
    this.id = data.id
    this.#data = data
    this.#root = data.clipsPath
    this.#log = log
  }

  folder(id: string): string {
    return path.join(this.#root, id)
  }

  /** For its owner alone: a clip may show what is nobody else's business. */
  async create(id: string): Promise<void> {
    await mkdir(this.folder(id), { mode: 0o700 })
    await writeFile(path.join(this.folder(id), markerFile), '')
  }

  async open(id: string): Promise<void> {
    const found = await stat(path.join(this.folder(id), rowFile)).catch(nullWhereNone)
    if (found === null) throw new LeadlineError('CLIP_UNKNOWN', `The files of clip ${id} are gone`)
  }

  async keep(): Promise<void> {}

  async discard(id: string, files: readonly string[]): Promise<void> {
    await Promise.all(files.map((file) => removeAll(path.join(this.folder(id), file))))
  }

  async save(stored: StoredClip): Promise<void> {
    const rowPath = path.join(this.folder(stored.clip.id), rowFile)
    // Two may end a clip at once.
    const partPath = `${rowPath}.${randomUUID()}.part`
    await writeFile(partPath, documentOf(stored), { flush: true })
    await rename(partPath, rowPath)
  }

  async read(id: string): Promise<StoredClip | null> {
    const row = await readFile(path.join(this.folder(id), rowFile), 'utf8').catch(nullWhereNone)
    return row === null ? null : storedOf(id, row)
  }

  async list(): Promise<StoredClip[]> {
    const clips: StoredClip[] = []
    // One after another: thousands of clips must not need thousands of open files.
    for (const entry of await readdir(this.#root, { withFileTypes: true })) {
      const stored = await this.#load(entry).catch((error: unknown) => this.#leave(entry.name, error))
      if (stored !== null) clips.push(stored)
    }
    return clips.sort((a, b) => a.clip.createdAt.localeCompare(b.clip.createdAt))
  }

  async removeLeftovers({ isStart }: { isStart: boolean }): Promise<void> {
    const isAlone = isStart && this.#data.isOwn
    for (const entry of await readdir(this.#root, { withFileTypes: true })) {
      if (entry.isDirectory() && (await this.#isLeftover(entry.name, isAlone))) await this.remove(entry.name)
    }
  }

  async tidy(id: string, files: readonly string[]): Promise<void> {
    const kept = [rowFile, markerFile, ...files]
    const found = await readdir(this.folder(id)).catch(nullWhereNone)
    const rest = (found ?? []).filter((file) => !kept.includes(file))
    await Promise.all(rest.map((file) => removeAll(path.join(this.folder(id), file))))
  }

  async file(id: string, name: string): Promise<string> {
    return path.join(this.folder(id), name)
  }

  /** The document first: without it nobody takes the rest for a clip. */
  async remove(id: string): Promise<void> {
    await rm(path.join(this.folder(id), rowFile), { force: true })
    await removeAll(this.folder(id))
  }

  close(): Promise<void> {
    return this.#data.close()
  }

  async #load(entry: Dirent): Promise<StoredClip | null> {
    if (!entry.isDirectory()) throw new Error('it is no folder')
    const stored = await this.read(entry.name)
    if (stored === null && !(await this.#isOurs(entry.name))) throw new Error(`it has no ${rowFile}`)
    return stored
  }

  async #isOurs(id: string): Promise<boolean> {
    return (await stat(path.join(this.folder(id), markerFile)).catch(nullWhereNone)) !== null
  }

  async #isLeftover(id: string, isAlone: boolean): Promise<boolean> {
    if (!(await this.#isOurs(id))) return false
    if ((await stat(path.join(this.folder(id), rowFile)).catch(nullWhereNone)) !== null) return false
    if (isAlone) return true
    const files = await readdir(this.folder(id))
    const times = files.map(async (file) => (await stat(path.join(this.folder(id), file))).mtimeMs)
    return Date.now() - Math.max(...(await Promise.all(times))) > staleMs
  }

  #leave(name: string, error: unknown): null {
    const reason = error instanceof Error ? error.message : String(error)
    this.#log.warn(
      { path: this.folder(name), reason },
      'left alone in the folder of clips: it cannot be read as one'
    )
    return null
  }
}

/** Somebody may still write there. */
async function removeAll(target: string): Promise<void> {
  await rm(target, { force: true, recursive: true, maxRetries: 5 })
}

function nullWhereNone(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null
  throw error
}
