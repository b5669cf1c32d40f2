import { randomUUID } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import Type from 'typebox'
import Value from 'typebox/value'
import { diskFailure } from '../../machine/disk-failure.ts'
import { LeadlineError } from '../../errors.ts'
import { makeFolder } from '../../machine/make-folder.ts'
import { keptSecrets, secretSchema } from './secret-store.ts'
import type { Secret, SecretStore } from './secret-store.ts'

const fileSchema = Type.Array(secretSchema)

/** One file per owner in a folder, for the user of the server alone. The folder is made with the first secret. */
export class FolderSecretStore implements SecretStore {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  read(owner: string | null): Promise<Secret[]> {
    return this.#do(() => this.#read(owner))
  }

  async add(owner: string | null, secret: Secret): Promise<void> {
    await this.#do(async () => {
      await makeFolder(this.#folder, 0o700)
      const secrets = [secret, ...(await this.#read(owner))].slice(0, keptSecrets)
      const partPath = `${this.#path(owner)}.${randomUUID()}.part`
      await writeFile(partPath, JSON.stringify(secrets, null, 2), { mode: 0o600, flush: true })
      await rename(partPath, this.#path(owner))
    })
  }

  #path(owner: string | null): string {
    return path.join(this.#folder, `${owner ?? 'open'}.json`)
  }

  async #read(owner: string | null): Promise<Secret[]> {
    const text = await readFile(this.#path(owner), 'utf8').catch(nullWhereNone)
    if (text === null) return []
    const secrets: unknown = JSON.parse(text)
    if (Value.Check(fileSchema, secrets)) return secrets
    throw new LeadlineError(
      'STORAGE_UNUSABLE',
      `${this.#path(owner)} is not a file of secrets; remove it, and make a new one`
    )
  }

  async #do<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw (
        diskFailure(error, `The folder of webhooks' secrets ${this.#folder}`, 'LEADLINE_DATA_DIR') ?? error
      )
    }
  }
}

function nullWhereNone(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null
  throw error
}
