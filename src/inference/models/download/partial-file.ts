import { constants } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { open, readFile, rm, statfs, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { makeFolder } from '../../../machine/make-folder.ts'
import { digestOf } from '../../weights/digest.ts'
import type { Have } from './answer.ts'
import { failed } from './answer.ts'

/** What is known about the bytes on disk; beside them as JSON. */
type State = Pick<Have, 'validator' | 'totalBytes'>

const unknown: State = { validator: null, totalBytes: null }

/**
 * A download on disk, whole or in part: `<hash of the address>.part` and `.json`. Bytes are written at their place, so
 * that two downloads of one file at a time do no harm. Closing leaves the files.
 */
export class PartialFile implements Have {
  readonly path: string
  readonly #statePath: string
  readonly #file: FileHandle
  #bytes: number
  #state: State

  private constructor(base: string, file: FileHandle, bytes: number, state: State) {
    this.path = `${base}.part`
    this.#statePath = `${base}.json`
    this.#file = file
    this.#bytes = bytes
    this.#state = state
  }

  /** Throws DOWNLOAD_FAILED where the folder cannot be written to. */
  static async open(folder: string, url: string): Promise<PartialFile> {
    const base = path.join(folder, digestOf(Buffer.from(url)).slice(0, 16))
    try {
      await makeFolder(folder)
      const file = await open(`${base}.part`, constants.O_RDWR | constants.O_CREAT)
      const { size } = await file.stat()
      return new PartialFile(base, file, size, await readState(`${base}.json`))
    } catch (cause) {
      throw notWritable(folder, cause)
    }
  }

  get bytes(): number {
    return this.#bytes
  }

  get validator(): string | null {
    return this.#state.validator
  }

  get totalBytes(): number | null {
    return this.#state.totalBytes
  }

  /** Keep the first `bytes` of what is here and note what the server says about the file. */
  async begin(bytes: number, state: State): Promise<void> {
    if (bytes < this.#bytes) await this.#file.truncate(bytes)
    this.#bytes = bytes
    this.#state = state
    await this.#checkSpace()
    await writeFile(this.#statePath, JSON.stringify(state))
  }

  /** Forget everything. */
  async restart(): Promise<void> {
    await this.begin(0, unknown)
  }

  /** Throws DOWNLOAD_FAILED when the disk is full. */
  async append(chunk: Uint8Array): Promise<void> {
    try {
      for (let written = 0; written < chunk.length; ) {
        const { bytesWritten } = await this.#file.write(chunk, written, chunk.length - written, this.#bytes)
        written += bytesWritten
        this.#bytes += bytesWritten
      }
    } catch (cause) {
      throw notWritable(path.dirname(this.path), cause)
    }
  }

  async close(): Promise<void> {
    await this.#file.close()
  }

  async discard(): Promise<void> {
    await Promise.all([this.path, this.#statePath].map((file) => rm(file, { force: true })))
  }

  async #checkSpace(): Promise<void> {
    const folder = path.dirname(this.path)
    const { bavail, bsize } = await statfs(folder)
    const missing = (this.#state.totalBytes ?? 0) - this.#bytes
    if (missing > bavail * bsize)
      throw failed(`${folder} has ${bavail * bsize} bytes free, ${missing} are needed; ${makeSpace}`)
  }
}

const makeSpace = 'make space, or choose another disk with LEADLINE_MODELS_DIR'

/** A state that cannot be read says nothing, so that the download begins again. */
async function readState(file: string): Promise<State> {
  const text = await readFile(file, 'utf8').catch(() => '{}')
  try {
    const { validator, totalBytes } = JSON.parse(text) as Record<string, unknown>
    return {
      validator: typeof validator === 'string' ? validator : null,
      totalBytes: typeof totalBytes === 'number' ? totalBytes : null
    }
  } catch {
    return unknown
  }
}

function notWritable(folder: string, cause: unknown) {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'failed'
  const remedy = code === 'ENOSPC' ? makeSpace : 'check its permissions, or choose another with LEADLINE_MODELS_DIR'
  return failed(`${folder} could not be written to (${code}); ${remedy}`, cause)
}
