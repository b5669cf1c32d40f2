import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import type { WriteStream } from 'node:fs'
import { diskFailure } from '../../machine/disk-failure.ts'
import { packageVersion } from '../version.ts'
import { recordingVersion, writeLine } from './recording-line.ts'
import type { RecordingEntry, RecordingLine } from './recording-line.ts'

type Untimed<T> = T extends unknown ? Omit<T, 'ms'> : never

/**
 * Writes what goes over sockets, each message as it goes, so that a crash loses no more than the last. For its user alone: it shows the
 * video. Keys and tokens are left out.
 */
export class RecordingFile {
  readonly #path: string
  readonly #file: WriteStream
  readonly #sinceMs = performance.now()
  #entries = 0
  #failure: Error | null = null

  /** Throws STORAGE_FULL, STORAGE_UNUSABLE. */
  static async create(path: string): Promise<RecordingFile> {
    const file = createWriteStream(path, { mode: 0o600 })
    try {
      await once(file, 'open')
    } catch (error) {
      throw named(path, error)
    }
    return new RecordingFile(path, file)
  }

  private constructor(path: string, file: WriteStream) {
    this.#path = path
    this.#file = file
    file.on('error', (error) => (this.#failure ??= error))
    const at = new Date().toISOString()
    this.#write({ leadlineRecording: recordingVersion, program: packageVersion(), at })
  }

  get entries(): number {
    return this.#entries
  }

  /** False: the disk is behind; `room` says when it is not. */
  add(entry: Untimed<RecordingEntry>): boolean {
    this.#entries += 1
    return this.#write({ ms: this.#ms, ...entry } as RecordingEntry)
  }

  /** Resolves when the disk takes more, or nothing any more. */
  async room(): Promise<void> {
    if (this.#file.writableNeedDrain && this.#failure === null)
      await once(this.#file, 'drain').catch(() => undefined)
  }

  /** Twice without harm. Throws what kept it from being whole: STORAGE_FULL, STORAGE_UNUSABLE. */
  async close(): Promise<void> {
    if (!this.#file.writableEnded && this.#failure === null) {
      this.#file.end(writeLine({ end: true, ms: this.#ms }))
      await once(this.#file, 'close').catch(() => undefined)
    }
    if (this.#failure !== null) throw named(this.#path, this.#failure)
  }

  get #ms(): number {
    return Math.round((performance.now() - this.#sinceMs) * 1000) / 1000
  }

  #write(line: RecordingLine): boolean {
    if (this.#failure !== null || this.#file.writableEnded) return true
    return this.#file.write(writeLine(line))
  }
}

function named(path: string, error: unknown): unknown {
  return diskFailure(error, `The recording "${path}"`, 'its path') ?? error
}
