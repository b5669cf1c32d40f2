import { createHash } from 'node:crypto'
import { access } from 'node:fs/promises'
import path from 'node:path'
import { LeadlineError } from '../../errors.ts'
import type { Log } from '../../sessions/index.ts'
import type { Bucket } from './bucket.ts'
import type { ClipStorage, StoredClip } from './clip-storage.ts'
import type { FolderStorage } from './folder-storage.ts'
import { documentOf, storedOf } from './stored-clip.ts'

const rowName = 'clip.json'
const clipFolder = /^[0-9a-f]{8}-[0-9a-f-]{27}\//
/** Objects of a clip without a document, written so long ago, are those of an upload that never ended. */
const staleMs = 3_600_000

export interface BucketStorageOptions {
  bucket: Bucket
  /** Of the bucket, for the name by which gateways know that they share it. */
  url: string
  /** Where clips are worked on; what lies there can be had again from the bucket. */
  scratch: FolderStorage
  log: Log
}

/** Clips in a bucket: objects `ID/clip.json`, `ID/clip` and so on. A clip is worked on in a folder of this machine. */
export class BucketStorage implements ClipStorage {
  readonly id: string
  readonly place = 'The server’s folder for clips'
  readonly setting = 'LEADLINE_DATA_DIR'
  readonly #bucket: Bucket
  readonly #scratch: FolderStorage
  readonly #log: Log

  constructor({ bucket, url, scratch, log }: BucketStorageOptions) {
    this.id = `s3-${createHash('sha256').update(url).digest('hex').slice(0, 16)}`
    this.#bucket = bucket
    this.#scratch = scratch
    this.#log = log
  }

  folder(id: string): string {
    return this.#scratch.folder(id)
  }

  async create(id: string): Promise<void> {
    await this.#scratch.create(id).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  }

  async open(id: string): Promise<void> {
    const objects = await this.#bucket.list(`${id}/`)
    if (!objects.some(({ key }) => key === `${id}/${rowName}`))
      throw new LeadlineError('CLIP_UNKNOWN', `The files of clip ${id} are gone`)
    await this.create(id)
    for (const { key } of objects) {
      const name = key.slice(id.length + 1)
      if (name !== rowName) await this.#fetch(id, name)
    }
  }

  async keep(id: string, files: readonly string[]): Promise<void> {
    for (const file of files) await this.#bucket.putFile(`${id}/${file}`, path.join(this.folder(id), file))
  }

  async discard(id: string, files: readonly string[]): Promise<void> {
    if (files.length > 0) await this.#bucket.remove(files.map((file) => `${id}/${file}`))
    await this.#scratch.discard(id, files)
  }

  async save(stored: StoredClip): Promise<void> {
    await this.#bucket.putText(`${stored.clip.id}/${rowName}`, documentOf(stored))
  }

  async read(id: string): Promise<StoredClip | null> {
    const row = await this.#bucket.getText(`${id}/${rowName}`)
    return row === null ? null : storedOf(id, row)
  }

  async list(): Promise<StoredClip[]> {
    const clips: StoredClip[] = []
    for (const { key } of await this.#bucket.list()) {
      if (!clipFolder.test(key) || !key.endsWith(`/${rowName}`)) continue
      const stored = await this.read(key.slice(0, -rowName.length - 1)).catch((error: unknown) => {
        this.#log.warn({ key, err: error }, 'left alone in the bucket: it cannot be read as a clip')
        return null
      })
      if (stored !== null) clips.push(stored)
    }
    return clips.sort((a, b) => a.clip.createdAt.localeCompare(b.clip.createdAt))
  }

  /** A folder of this machine that nobody touches any more can be had again. */
  async removeLeftovers(when: { isStart: boolean }): Promise<void> {
    await this.#scratch.removeLeftovers(when)
    const objects = (await this.#bucket.list()).filter(({ key }) => clipFolder.test(key))
    const ids = new Set(objects.map(({ key }) => key.slice(0, key.indexOf('/'))))
    for (const id of ids) {
      const ofClip = objects.filter(({ key }) => key.startsWith(`${id}/`))
      if (ofClip.some(({ key }) => key === `${id}/${rowName}`)) continue
      const last = Math.max(...ofClip.map(({ changedAt }) => changedAt.getTime()))
      if (Date.now() - last > staleMs) await this.#bucket.remove(ofClip.map(({ key }) => key))
    }
  }

  async tidy(id: string, files: readonly string[]): Promise<void> {
    const kept = [rowName, ...files].map((file) => `${id}/${file}`)
    const rest = (await this.#bucket.list(`${id}/`))
      .map(({ key }) => key)
      .filter((key) => !kept.includes(key))
    await this.#bucket.remove(rest)
    await this.#scratch.remove(id)
  }

  async file(id: string, name: string): Promise<string> {
    await this.create(id)
    if (!(await this.#fetch(id, name)))
      throw new LeadlineError('CLIP_UNKNOWN', `The file ${name} of clip ${id} is gone`)
    return path.join(this.folder(id), name)
  }

  async remove(id: string): Promise<void> {
    await this.#bucket.remove([`${id}/${rowName}`])
    await this.#bucket.remove((await this.#bucket.list(`${id}/`)).map(({ key }) => key))
    await this.#scratch.remove(id)
  }

  close(): Promise<void> {
    return this.#scratch.close()
  }

  /** What is here is whole: files never change under their name. */
  async #fetch(id: string, name: string): Promise<boolean> {
    const filePath = path.join(this.folder(id), name)
    const isHere = await access(filePath).then(
      () => true,
      () => false
    )
    return isHere || this.#bucket.getFile(`${id}/${name}`, filePath)
  }
}
