import { readdir, readFile, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { diskFailure } from '../../machine/disk-failure.ts'
import { LeadlineError } from '../../errors.ts'
import { makeFolder } from '../../machine/make-folder.ts'
import { parseKey } from '../access-key.ts'
import type { AccessKey } from '../access-key.ts'
import { byAge } from '../key-store.ts'
import type { KeyStore } from '../key-store.ts'

const extension = '.json'

/**
 * One file per key in a folder, for its owner alone. Each change puts a whole file in place of another, so that a server
 * reads while a command writes. The folder is made with the first key.
 */
export class FolderKeyStore implements KeyStore {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  async add(key: AccessKey): Promise<void> {
    await this.#do(async () => {
      await makeFolder(this.#folder, 0o700)
      await this.#write(key)
    })
  }

  async read(ids: readonly string[]): Promise<AccessKey[]> {
    const found = await this.#do(() => Promise.all(ids.map((id) => this.#read(id))))
    return found.filter((key) => key !== null)
  }

  async list(): Promise<AccessKey[]> {
    const files = await this.#do(() => readdir(this.#folder).catch(emptyWhereNone))
    const ids = files.filter((file) => file.endsWith(extension)).map((file) => path.basename(file, extension))
    return (await this.read(ids)).sort(byAge)
  }

  async revoke(id: string, atMs: number): Promise<'revoked' | 'unknown'> {
    return this.#do(async () => {
      const key = await this.#read(id)
      if (key === null) return 'unknown'
      if (key.revokedAtMs === null) await this.#write({ ...key, revokedAtMs: atMs })
      return 'revoked'
    })
  }

  async close(): Promise<void> {}

  #path(id: string): string {
    return path.join(this.#folder, `${id}${extension}`)
  }

  async #read(id: string): Promise<AccessKey | null> {
    const text = await readFile(this.#path(id), 'utf8').catch(nullWhereNone)
    if (text === null) return null
    const key = parseKey(text)
    if (key?.id === id) return key
    throw new LeadlineError(
      'STORAGE_UNUSABLE',
      `${this.#path(id)} is not the file of a key; remove it, and make a new key`
    )
  }

  /** On the disk itself when it resolves: a revocation outlives a power loss. */
  async #write(key: AccessKey): Promise<void> {
    const partPath = `${this.#path(key.id)}.part`
    await writeFile(partPath, JSON.stringify(key, null, 2), { mode: 0o600, flush: true })
    await rename(partPath, this.#path(key.id))
  }

  async #do<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw diskFailure(error, `The folder of keys ${this.#folder}`, 'LEADLINE_DATA_DIR') ?? error
    }
  }
}

function nullWhereNone(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null
  throw error
}

function emptyWhereNone(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return []
  throw error
}
